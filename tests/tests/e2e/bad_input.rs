//! What clumsy people type and feed: each time a sentence that says what to do, an exit code, and nothing lost.

use anyhow::Result;
use tests::programs::{Phone, run};

use crate::city::{District, settle};

#[test]
fn clumsy_input_is_refused_with_a_sentence_and_nothing_is_lost() {
    bad_input().unwrap();
}

fn bad_input() -> Result<()> {
    let district = District::new()?;
    let phone = district.phone("inspector", "inspector", &["--area", &district.grids()[0]])?;
    settle(&phone)?;
    let place = district.place(&district.grids()[0])?;
    let missing = district.folder.path().join("nothing.jpg").display().to_string();
    let wrong: [(&[&str], i32); 9] = [
        (&["report"], 2),
        (&["report", "--category", "stall", "--subtype", "unlicensed", "--at", "95,200", "--note", "x"], 2),
        (&["report", "--category", "nothing", "--subtype", "unlicensed", "--at", &place, "--note", "x"], 2),
        (&["report", "--category", "stall", "--subtype", "unlicensed", "--at", &place, "--field", "goods"], 2),
        (&["report", "--category", "stall", "--subtype", "unlicensed", "--at", &place, "--photo", &missing], 1),
        (&["show", "0000000000"], 1),
        (&["do", "0000000000", "accept"], 1),
        (&["do", "0000000000", "fly"], 2),
        (&["enrol", "--server", "http://127.0.0.1:1", "--code", "AAAA-BBBB-CCCC"], 1),
    ];
    for (arguments, code) in wrong {
        let said = phone.run(arguments)?;
        assert_eq!(said.code, code, "{arguments:?}: {said:?}");
        assert!(!said.err.trim().is_empty(), "{arguments:?} is refused with a sentence");
        assert!(!said.err.contains("panicked"), "{arguments:?}: {}", said.err);
    }
    assert_eq!(phone.must(&["status"])?["on_this_phone"], 0, "nothing of it was captured");

    let stranger = Phone { home: district.folder.path().join("stranger") };
    let said = stranger.run(&["enrol", "--server", &district.installation.url(), "--code", "AAAA-BBBB-CCCC"])?;
    assert_eq!(said.code, 1, "a wrong code: {said:?}");
    let said = stranger.run(&["report", "--category", "a", "--subtype", "b", "--at", "1,2", "--note", "x"])?;
    assert_eq!(said.code, 1, "a phone that belongs to nobody: {said:?}");
    operators_mistakes(&district)
}

fn operators_mistakes(district: &District) -> Result<()> {
    let nonsense = district.folder.path().join("nonsense.json");
    std::fs::write(&nonsense, "{\"version\": 1,")?;
    let nonsense = nonsense.display().to_string();
    let wrong: [(&[&str], i32); 6] = [
        (&["areas", "import", &nonsense], 1),
        (&["catalogue", "import", &nonsense], 1),
        (&["catalogue", "import", "/nowhere"], 1),
        (&["account", "add", "--login", "inspector", "--name", "again", "--role", "inspector"], 1),
        (&["account", "add", "--login", "x", "--name", "x", "--role", "inspector", "--area", "nowhere"], 1),
        (&["account", "add", "--login", "x", "--name", "x", "--role", "emperor"], 2),
    ];
    for (arguments, code) in wrong {
        let said = district.installation.operate(arguments)?;
        assert_eq!(said.code, code, "{arguments:?}: {said:?}");
        assert!(!said.err.trim().is_empty() && !said.err.contains("panicked"), "{arguments:?}: {said:?}");
    }
    let typo = run("rectify", &["serve", "--data", "/tmp", "--database-url", "mysql://x", "--listen", "127.0.0.1:0"])?;
    assert_eq!(typo.code, 1, "an unknown database is no new file: {typo:?}");
    Ok(())
}
