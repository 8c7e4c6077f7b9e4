//! What the compiler does not check: which way the arrows point, how long files are, what must not stand in them.

#![expect(clippy::expect_used, reason = "a world that breaks is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

/// Every source file below a folder, as (path from the root, text).
fn sources(below: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(below)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("a folder entry").path();
            let hidden = path.file_name().is_some_and(|name| name == "target" || name == "node_modules");
            if path.is_dir() && !hidden {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == ending) {
                let name = path.strip_prefix(root()).expect("below the root").display().to_string();
                found.push((name, fs::read_to_string(&path).expect("readable text")));
            }
        }
    }
    assert!(!found.is_empty(), "nothing below {below}: the check would check nothing");
    found.sort();
    found
}

fn rust() -> Vec<(String, String)> {
    ["schema", "sync-core", "server", "tests"].iter().flat_map(|below| sources(below, "rs")).collect()
}

/// Lines of code, without the tests at a file's end.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn assert_none(found: &[String], law: &str) {
    assert!(found.is_empty(), "{law}:\n{}", found.join("\n"));
}

#[test]
fn arrows_point_down() {
    let mut wrong = Vec::new();
    for (path, text) in sources("server/src", "rs") {
        let text = code(&text);
        let in_store = path.starts_with("server/src/store");
        let in_services = path.starts_with("server/src/services");
        if !in_store && (text.contains("use diesel") || text.contains("diesel::")) {
            wrong.push(format!("{path}: diesel outside the store"));
        }
        if (in_store || in_services) && text.contains("actix_web") {
            wrong.push(format!("{path}: actix below the routes"));
        }
        if (in_store || in_services) && text.contains("crate::routes") {
            wrong.push(format!("{path}: routes from below"));
        }
        if in_store && text.contains("crate::services") {
            wrong.push(format!("{path}: services from the store"));
        }
        if path.starts_with("server/src/routes") && text.contains("crate::store::") {
            wrong.push(format!("{path}: the store from a route"));
        }
    }
    assert_none(&wrong, "routes → services → store");
}

#[test]
fn schema_depends_on_nothing_that_runs() {
    let manifest = fs::read_to_string(root().join("schema/Cargo.toml")).expect("manifest");
    let dependencies = manifest.split("[dependencies]").nth(1).expect("dependencies");
    let names: Vec<&str> = dependencies
        .lines()
        .take_while(|line| !line.starts_with("[lints"))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
        .collect();
    assert_eq!(names, ["base64", "hex", "serde", "serde_json", "utoipa", "uuid"]);
}

#[test]
fn every_crate_takes_the_workspaces_lints() {
    for member in ["schema", "sync-core", "server", "server/pictures", "tests", "tests/databases", "tests/xtask"] {
        let manifest = fs::read_to_string(root().join(member).join("Cargo.toml")).expect("manifest");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{member}");
    }
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<String> =
        rust().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(path, _)| path).collect();
    assert_none(&silent, "a module opens with what it does and what it does not know");
}

/// The page's own code, without what is fetched or built.
fn page() -> Vec<(String, String)> {
    let kinds =
        [("server/web/src", "ts"), ("server/web/src", "tsx"), ("server/web/src", "css"), ("tests/browser", "js")];
    kinds.iter().flat_map(|(below, ending)| sources(below, ending)).collect()
}

#[test]
fn files_fit_in_a_sitting() {
    let long: Vec<String> = rust()
        .into_iter()
        .chain(page())
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > 400)
        .map(|(path, lines)| format!("{path}: {lines}"))
        .collect();
    assert_none(&long, "files of at most 400 lines");
}

#[test]
fn no_test_is_ignored_or_waits_for_time_to_pass() {
    let ours = file!().rsplit('/').next().expect("a name");
    let wrong: Vec<String> = rust()
        .into_iter()
        .filter(|(path, _)| !path.ends_with(ours))
        .filter(|(path, text)| {
            let in_test = path.contains("/tests/") || path.contains("tests.rs");
            text.contains("#[ignore") || text.contains("#[should_panic") || (in_test && text.contains("thread::sleep"))
        })
        .map(|(path, _)| path)
        .collect();
    assert_none(&wrong, "tests run, and know instead of waiting");
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    let marks = ["todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX"];
    let ours = file!().rsplit('/').next().expect("a name");
    let wrong: Vec<String> = rust()
        .into_iter()
        .filter(|(path, text)| !path.ends_with(ours) && marks.iter().any(|mark| text.contains(mark)))
        .map(|(path, _)| path)
        .collect();
    assert_none(&wrong, "no stubs");
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |backend: &str| -> Vec<String> {
        let folder = root().join("schema/migrations").join(backend);
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("migrations")
            .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert!(!names("sqlite").is_empty());
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn the_documents_that_the_readme_names_exist() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(readme.contains("cargo xtask run") && readme.contains("cargo xtask test"));
    let ci = fs::read_to_string(root().join(".ci/run")).expect(".ci/run");
    assert!(ci.contains("cargo xtask test"), "CI runs what the README says");
    let missing: Vec<String> = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.contains("://") && !link.starts_with('#'))
        .filter(|link| !root().join(link.split('#').next().unwrap_or(link)).exists())
        .map(str::to_owned)
        .collect();
    assert_none(&missing, "links of the README");
}
