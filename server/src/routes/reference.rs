//! The API document as a page that needs nothing but itself: no script, no other host.

use std::fmt::Write;

use anyhow::{Context, anyhow};
use schema::problem::ProblemCode;
use serde_json::Value;

use super::openapi::value;
use crate::error::{Result, status};
use crate::language::Language;
use crate::problem_text;

/// The reference page.
///
/// # Errors
/// Where the API document is not what it should be.
pub(crate) fn page(language: Language) -> Result<String> {
    let document = value()?;
    let paths = document.get("paths").and_then(Value::as_object).ok_or_else(|| anyhow!("an API without paths"))?;
    let mut body = String::new();
    let title = language.pick("整改 Rectify 接口说明", "Rectify API");
    let lead = language.pick(
        "机器可读的版本:<a href=\"/openapi.json\">/openapi.json</a>。错误均为 RFC 9457 问题文档,见文末。",
        "For machines: <a href=\"/openapi.json\">/openapi.json</a>. Errors are RFC 9457 problem documents, listed below.",
    );
    write!(body, "<h1>{title}</h1><p>{lead}</p>").context("writing a page")?;
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            operation_section(&mut body, path, method, operation).context("writing a page")?;
        }
    }
    write!(body, "<h2 id=\"schemas\">{}</h2>", language.pick("数据结构", "Schemas")).context("writing a page")?;
    for (name, schema) in document.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten() {
        let text = serde_json::to_string_pretty(schema).context("writing a schema")?;
        let name = escape(name);
        write!(body, "<details id=\"{name}\"><summary>{name}</summary><pre>{}</pre></details>", escape(&text))
            .context("writing a page")?;
    }
    write!(body, "<h2>{}</h2><table>", language.pick("问题", "Problems")).context("writing a page")?;
    for code in problem_text::ALL {
        let (title, detail) = problem_text::words(code, language);
        let name = problem_text::name(code);
        write!(
            body,
            "<tr><td>{}</td><td><a href=\"/problems/{name}\">{name}</a></td><td>{title}</td><td>{detail}</td></tr>",
            status(code).as_u16()
        )
        .context("writing a page")?;
    }
    body.push_str("</table>");
    Ok(frame(title, &body, language))
}

/// The page of one problem.
pub(crate) fn problem_page(code: ProblemCode, language: Language) -> String {
    let (title, detail) = problem_text::words(code, language);
    let name = problem_text::name(code);
    let body = format!(
        "<h1>{title}</h1><p>{detail}</p><p><code>{name}</code> · HTTP {}</p><p><a href=\"/docs\">/docs</a></p>",
        status(code).as_u16()
    );
    frame(title, &body, language)
}

fn operation_section(page: &mut String, path: &str, method: &str, operation: &Value) -> std::fmt::Result {
    let text = |key: &str| escape(operation.get(key).and_then(Value::as_str).unwrap_or_default());
    let (method, path) = (escape(&method.to_uppercase()), escape(path));
    write!(page, "<section><h3><code>{method} {path}</code></h3><p>{} {}</p>", text("summary"), text("description"))?;
    if operation.get("security").is_some() {
        page.push_str("<p><code>Authorization: Bearer …</code></p>");
    }
    page.push_str("<dl>");
    for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        let of = |key: &str| escape(parameter.get(key).and_then(Value::as_str).unwrap_or_default());
        write!(page, "<dt><code>{}</code> ({})</dt><dd>{}</dd>", of("name"), of("in"), of("description"))?;
    }
    if let Some(content) = operation.pointer("/requestBody/content") {
        write!(page, "<dt>→</dt><dd>{}</dd>", content_of(content))?;
    }
    for (status, response) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
        let description = escape(response.get("description").and_then(Value::as_str).unwrap_or_default());
        let content = response.get("content").map(content_of).unwrap_or_default();
        write!(page, "<dt>{}</dt><dd>{content} {description}</dd>", escape(status))?;
    }
    page.push_str("</dl></section>");
    Ok(())
}

/// Media types with links to their schemas.
fn content_of(content: &Value) -> String {
    let one = |(media, body): (&String, &Value)| {
        let schema = body.pointer("/schema/$ref").and_then(Value::as_str).and_then(|at| at.rsplit('/').next());
        let link = schema.map(|name| format!(" <a href=\"#{0}\">{0}</a>", escape(name))).unwrap_or_default();
        format!("<code>{}</code>{link}", escape(media))
    };
    content.as_object().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ")
}

fn frame(title: &str, body: &str, language: Language) -> String {
    format!(
        "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title><link rel=\"stylesheet\" href=\"/docs.css\"><body><main>{body}</main></body></html>",
        language.tag(),
        escape(title)
    )
}

/// The page's style.
pub(crate) const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#1c1c1c;background:#fff}\
main{max-width:60rem;margin:auto;padding:1rem}section{border-top:1px solid #ddd}\
code,pre{font-family:ui-monospace,monospace;font-size:.9em}pre{overflow:auto;background:#f6f6f6;padding:.5rem}\
dt{font-weight:600}td{padding:.2rem .6rem .2rem 0;vertical-align:top}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}pre{background:#222}a{color:#8ab4f8}}";

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
