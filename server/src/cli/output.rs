//! What the program says: sentences for people, JSON for programs.

use std::io::{IsTerminal, Write};

use schema::catalogue::Text;
use serde::Serialize;
use server::error::Error;
use server::language::Language;
use server::problem_text;

/// How to speak.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// In which language.
    pub(crate) language: Language,
    /// To a program.
    pub(crate) json: bool,
}

impl Output {
    /// Says a result: the value to a program, the sentence to a person.
    pub(crate) fn result<T: Serialize>(&self, value: &T, zh: &str, en: &str) {
        let text = match serde_json::to_string(value) {
            Ok(json) if self.json => json,
            _ => self.language.pick(zh, en).to_owned(),
        };
        // A closed pipe is the reader's wish.
        drop(writeln!(std::io::stdout(), "{text}"));
    }

    /// Says how far long work is, on one line that is written over; nothing to a program.
    pub(crate) fn progress(&self, zh: &str, en: &str) {
        if !self.json && std::io::stderr().is_terminal() {
            drop(write!(std::io::stderr(), "\r\u{1b}[K{}", self.language.pick(zh, en)));
        }
    }

    /// Asks a person at a terminal; nobody else is asked, and then it is no.
    pub(crate) fn confirmed(&self, zh: &str, en: &str) -> bool {
        if self.json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return false;
        }
        drop(write!(std::io::stderr(), "{} [y/N] ", self.language.pick(zh, en)));
        let mut typed = String::new();
        std::io::stdin().read_line(&mut typed).is_ok() && matches!(typed.trim(), "y" | "Y" | "yes" | "是")
    }

    /// Says what went wrong. An operator is told the causes: it is their machine.
    pub(crate) fn failure(&self, error: &Error) {
        let (title, detail) = problem_text::words(error.code(), self.language);
        let faults: &[Text] = if let Error::Faults(faults) = error { faults } else { &[] };
        let causes = match error {
            Error::Internal(cause) => format!("{cause:#}"),
            Error::Faults(faults) => {
                let lines: Vec<&str> = faults.iter().map(|fault| self.language.of(fault)).collect();
                lines.join("\n")
            }
            Error::Refused { field: Some(field), .. } => format!("{title} ({field}): {detail}"),
            Error::Refused { .. } => format!("{title}: {detail}"),
        };
        let text = if self.json {
            let error = problem_text::name(error.code());
            serde_json::json!({"error": error, "detail": causes, "faults": faults}).to_string()
        } else {
            format!("{}: {causes}", self.language.pick("错误", "error"))
        };
        drop(writeln!(std::io::stderr(), "{text}"));
    }
}
