//! Signed notes and checkpoints, with published ones, damaged ones and nonsense.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// The keys and the note of Go's `sumdb/note`, whose format C2SP signed-note describes.
const GO_SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_VERIFIER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                       then you don't know what your problem is.\n";
const GO_LINE: &str =
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const GO_OTHER_LINE: &str =
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";
const GO_OTHER_VERIFIER: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";

/// The verifier key and note of C2SP signed-note's test vectors.
const C2SP_VERIFIER: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const C2SP_NOTE: &str = "This is an example message.\n\n\
    — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn go_signer() -> Signer {
    let bytes = STANDARD.decode(GO_SEED).unwrap();
    Signer::new("PeterNeumann", bytes[1..].try_into().unwrap())
}

fn signer() -> Signer {
    Signer::new("rectify.example", &[7; 32])
}

fn verifier() -> Verifier {
    Verifier::parse(&signer().verifier_key()).unwrap()
}

fn head() -> TreeHead {
    TreeHead { size: 70_000, root: Hash([9; 32]) }
}

fn not_signed() -> CheckpointError {
    CheckpointError::NotSigned("rectify.example".into())
}

#[test]
fn go_and_c2sp_vectors() {
    assert_eq!(go_signer().verifier_key(), GO_VERIFIER);
    assert_eq!(go_signer().note(GO_TEXT), format!("{GO_TEXT}\n{GO_LINE}"));
    let both = format!("{GO_TEXT}\n{GO_LINE}{GO_OTHER_LINE}");
    for key in [GO_VERIFIER, GO_OTHER_VERIFIER] {
        let verifier = Verifier::parse(key).unwrap();
        assert_eq!(verifier.to_string(), key);
        assert_eq!(verifier.open(&both), Ok(GO_TEXT));
    }
    let c2sp = Verifier::parse(C2SP_VERIFIER).unwrap();
    assert_eq!(c2sp.open(C2SP_NOTE), Ok("This is an example message.\n"));
    // A good note need not be a checkpoint.
    assert_eq!(c2sp.checkpoint(C2SP_NOTE), Err(CheckpointError::Malformed));
}

#[test]
fn a_checkpoint_is_read_back() {
    let (log, epoch) = (LogId(Uuid::from_u128(1)), EpochId(Uuid::from_u128(2)));
    let origin = origin("rectify.example/west", log, epoch);
    let note = signer().checkpoint(&origin, &head());
    let text = "rectify.example/west/00000000-0000-0000-0000-000000000001/00000000-0000-0000-0000-000000000002\n\
                70000\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n\n— rectify.example ";
    assert!(note.starts_with(text), "{note}");
    assert_eq!(verifier().checkpoint(&note), Ok(Checkpoint { origin: origin.clone(), head: head() }));
    assert_eq!(read_origin(&origin), Some(("rectify.example/west", log, epoch)));
    assert_eq!(verifier().name(), "rectify.example");
    assert_eq!(signer().verifier(), &verifier());
}

#[test]
fn origins_of_others_are_not_read() {
    for origin in ["", "a", "a/b/c", "sum.golang.org/x", "/00000000-0000-0000-0000-000000000001"] {
        assert_eq!(read_origin(origin), None, "{origin}");
    }
}

/// Witnesses and another key of the same log add lines; only this signer's line counts, and it must be good.
#[test]
fn other_signature_lines_are_tolerated() {
    let note = signer().checkpoint("o", &head());
    let good = Ok(Checkpoint { origin: "o".into(), head: head() });
    assert_eq!(verifier().checkpoint(&format!("{note}{GO_LINE}")), good);
    let same_name = Signer::new("rectify.example", &[8; 32]).checkpoint("o", &head());
    let (_, its_line) = same_name.rsplit_once("\n\n").unwrap();
    assert_eq!(verifier().checkpoint(&format!("{note}{its_line}")), good);
    assert_eq!(verifier().checkpoint(&same_name), Err(not_signed()));
    let (text, line) = note.rsplit_once("\n\n").unwrap();
    assert_eq!(verifier().checkpoint(&format!("{text}\n\n{GO_LINE}{its_line}{line}")), good);
    let long = format!("— post.quantum {}\n", STANDARD.encode(vec![1; 5000])).repeat(16);
    assert_eq!(verifier().checkpoint(&format!("{note}{long}")), good);
    assert_eq!(verifier().checkpoint(&format!("{note}{GO_LINE}{}", long.repeat(2))), Err(CheckpointError::Malformed));
}

#[test]
fn a_bad_line_of_this_signer_spoils_the_note() {
    let note = signer().checkpoint("o", &head());
    let mut blob = signer().public.id.to_vec();
    for length in [1, 63, 64, 65] {
        blob.resize(4 + length, 0);
        let bad = format!("— rectify.example {}\n", STANDARD.encode(&blob));
        assert_eq!(verifier().checkpoint(&format!("{note}{bad}")), Err(not_signed()), "{length}");
    }
}

/// Texts that are well signed and yet no checkpoints.
#[test]
fn signed_texts_that_are_no_checkpoints() {
    let root = STANDARD.encode([9; 32]);
    let good = format!("o\n5\n{root}\n");
    let extended = format!("o\n5\n{root}\nextension\n");
    for text in [good, extended, format!("o\n{}\n{root}\n", u64::MAX), format!("an origin+\n0\n{root}\n")] {
        assert!(verifier().checkpoint(&signer().note(&text)).is_ok(), "{text}");
    }
    for text in [
        format!("\n5\n{root}\n"),
        format!("o\n05\n{root}\n"),
        format!("o\n+5\n{root}\n"),
        format!("o\n-5\n{root}\n"),
        format!("o\n 5\n{root}\n"),
        format!("o\n18446744073709551616\n{root}\n"),
        format!("o\n5\n{}\n", STANDARD.encode([9; 31])),
        format!("o\n5\n{}\n", root.trim_end_matches('=')),
        format!("o\n5\n{root}\n\nextension\n"),
        "o\n5\n".into(),
        "o\n".into(),
        "\n".into(),
    ] {
        assert_eq!(verifier().checkpoint(&signer().note(&text)), Err(CheckpointError::Malformed), "{text:?}");
    }
}

#[test]
fn malformed_notes() {
    let note = signer().checkpoint("o", &head());
    for bad in [
        String::new(),
        "\n\n".into(),
        note.trim_end().into(),
        note.replace("\n\n", "\n"),
        note.replace('\n', "\r\n"),
        note.replace("— ", "- "),
        note.replace("— rectify.example", "— rectify+example"),
        format!("{note}\n"),
        format!("{note}— nobody\n"),
        format!("{note}— nobody AAAAAA==\n"),
        format!("{note}— nobody not base64\n"),
        format!("{note}a line\n"),
    ] {
        assert_eq!(verifier().checkpoint(&bad), Err(CheckpointError::Malformed), "{bad:?}");
    }
}

#[test]
fn verifier_keys_have_one_spelling() {
    let weak = {
        let mut identity = [0; 32];
        identity[0] = 1;
        Verifier::of("weak", VerifyingKey::from_bytes(&identity).unwrap()).to_string()
    };
    for bad in [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpcAA==",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        &weak,
    ] {
        assert_eq!(Verifier::parse(bad), Err(CheckpointError::NotAVerifierKey), "{bad}");
    }
    for bad in ["", "a b", "a+b", "a\nb", "a\u{3000}b", "a\u{7f}"] {
        assert!(!is_signer_name(bad), "{bad:?}");
    }
    assert!(is_signer_name("整改.example/west"));
}

proptest! {
    /// Whatever a stranger sends, reading ends and does not panic.
    #[test]
    fn strings_of_strangers(note in any::<String>(), lines in proptest::collection::vec("[\u{2014}+ =\n0-9A-Za-z]{0,20}", 0..9)) {
        prop_assert!(verifier().checkpoint(&note).is_err());
        prop_assert!(verifier().checkpoint(&lines.join("\n")).is_err());
        let shaped = format!("{note}\n\n\u{2014} {}\n", lines.concat());
        prop_assert!(verifier().checkpoint(&shaped).is_err());
        prop_assert!(Verifier::parse(&note).is_err());
        prop_assert!(Verifier::parse(&lines.join("+")).is_err());
        let _ = read_origin(&note);
    }

    /// No character of a checkpoint can be changed, added or taken away.
    #[test]
    fn a_changed_checkpoint_is_refused(place in any::<prop::sample::Index>(), new in any::<char>()) {
        let note = signer().checkpoint("rectify.example/log", &head());
        let mut letters: Vec<char> = note.chars().collect();
        let place = place.index(letters.len());
        prop_assume!(letters[place] != new);
        letters[place] = new;
        prop_assert!(verifier().checkpoint(&letters.iter().collect::<String>()).is_err());
        letters.remove(place);
        prop_assert!(verifier().checkpoint(&letters.iter().collect::<String>()).is_err());
    }

    #[test]
    fn any_head_is_read_back(size: u64, root: [u8; 32], name in "[a-z./\u{6574}]{1,30}") {
        let (signer, head) = (Signer::new(&name, &root), TreeHead { size, root: Hash(root) });
        let verifier = Verifier::parse(&signer.verifier_key()).unwrap();
        let read = verifier.checkpoint(&signer.checkpoint("o", &head)).unwrap();
        prop_assert_eq!(read.head, head);
    }
}
