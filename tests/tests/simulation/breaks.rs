//! The proof that the simulation sees: each rule is broken on the real stores in turn, and exactly the invariant that
//! rests on it must break. Nothing in the product knows of this: a trigger in a phone's or the server's database does
//! what a program without the rule would do, or an answer loses on its way what the rule puts into it.

/// What an answer loses on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mangle {
    Nothing,
    /// Lines of this kind.
    Drop(&'static str),
    /// The end says that everything up to the head was in it.
    CursorsToHead,
}

/// A rule, how it is broken, and what then breaks.
#[derive(Debug)]
pub(crate) struct Break {
    /// The rule in words.
    pub(crate) rule: &'static str,
    pub(crate) on_phones: &'static str,
    pub(crate) on_server: &'static str,
    pub(crate) mangle: Mangle,
    pub(crate) late_pages_overwrite: bool,
    /// The invariants that break together: all of them, and no other, in at least one seed.
    pub(crate) breaks: &'static [&'static str],
}

const NOTHING: Break =
    Break { rule: "", on_phones: "", on_server: "", mangle: Mangle::Nothing, late_pages_overwrite: false, breaks: &[] };

pub(crate) static BREAKS: [Break; 12] = [
    Break {
        rule: "an op leaves the overlay only when the base has caught up with it",
        on_phones: "CREATE TRIGGER fault AFTER UPDATE OF state ON own_op WHEN NEW.state = 'decided' BEGIN
            UPDATE own_op SET state = 'kept' WHERE n = NEW.n; END;",
        breaks: &["INV-NO-FLICKER"],
        ..NOTHING
    },
    Break {
        rule: "a decided op is kept until it is durable",
        on_phones: "CREATE TRIGGER fault AFTER UPDATE OF state ON own_op WHEN NEW.state = 'kept' BEGIN
            DELETE FROM own_op WHERE n = NEW.n; END;",
        breaks: &["INV-NO-LOSS"],
        ..NOTHING
    },
    Break {
        rule: "in a new epoch everything above durable is pushed again",
        on_phones: "CREATE TRIGGER fault BEFORE UPDATE OF state ON own_op
            WHEN OLD.state = 'kept' AND NEW.state = 'undecided' BEGIN SELECT RAISE(IGNORE); END;",
        breaks: &["INV-NO-LOSS"],
        ..NOTHING
    },
    Break {
        rule: "in a new epoch everything is pulled anew",
        on_phones: "CREATE TRIGGER fault BEFORE UPDATE OF rev ON cursor WHEN NEW.rev = 0 BEGIN
            SELECT RAISE(IGNORE); END;",
        breaks: &["INV-CONVERGE", "INV-NO-FLICKER"],
        ..NOTHING
    },
    Break {
        rule: "a phone restored from its copy takes a new incarnation",
        on_phones:
            "CREATE TRIGGER fault BEFORE UPDATE OF incarnation ON log WHEN NEW.incarnation != OLD.incarnation BEGIN
                SELECT RAISE(IGNORE); END;
            CREATE TRIGGER fault_op BEFORE UPDATE OF incarnation ON own_op WHEN NEW.incarnation != OLD.incarnation BEGIN
                SELECT RAISE(IGNORE); END;",
        breaks: &["INV-NO-LOSS", "INV-QUEUE-DRAINS"],
        ..NOTHING
    },
    Break {
        rule: "an op on an entity that is in none of the phone's scopes leaves the overlay once they cover it",
        on_phones: "CREATE TRIGGER fault BEFORE UPDATE OF state ON own_op WHEN NEW.state = 'kept' AND NOT EXISTS
            (SELECT 1 FROM base WHERE base.log = NEW.log AND base.entity = NEW.entity AND base.rev >= NEW.rev)
            AND NEW.outcome LIKE 'accepted%' BEGIN SELECT RAISE(IGNORE); END;",
        breaks: &["INV-QUEUE-DRAINS"],
        ..NOTHING
    },
    Break {
        rule: "a late page never overwrites a newer version",
        late_pages_overwrite: true,
        breaks: &["INV-CONVERGE"],
        ..NOTHING
    },
    Break {
        rule: "a cursor moves only over what the page held",
        mangle: Mangle::CursorsToHead,
        breaks: &["INV-CONVERGE"],
        ..NOTHING
    },
    Break {
        rule: "a scope is told what leaves it",
        mangle: Mangle::Drop("exit"),
        breaks: &["INV-SCOPE-LEAK"],
        ..NOTHING
    },
    Break {
        rule: "a scope that may no longer be named is dropped",
        mangle: Mangle::Drop("drop"),
        breaks: &["INV-SCOPE-LEAK"],
        ..NOTHING
    },
    Break {
        rule: "a photo stays on its phone until it is verified and durable",
        on_phones: "CREATE TRIGGER fault AFTER UPDATE OF uploaded ON photo WHEN NEW.uploaded = 1 BEGIN
            UPDATE photo_ref SET verified_rev = 0 WHERE sha256 = NEW.sha256; END;",
        breaks: &["INV-PHOTO-CUSTODY"],
        ..NOTHING
    },
    Break {
        rule: "an entry names the leaf before it of its entity",
        on_server: "CREATE TRIGGER fault AFTER UPDATE OF head_leaf ON entity WHEN NEW.rev % 7 = 0 BEGIN
            UPDATE entity SET head_leaf = OLD.head_leaf WHERE log = NEW.log AND id = NEW.id; END;",
        breaks: &["INV-CASE-CHAIN"],
        ..NOTHING
    },
];

impl Break {
    /// Before a late answer: the phone forgets how far it had come.
    pub(crate) fn before_late(&self) -> &'static str {
        "CREATE TABLE fault_cursor AS SELECT * FROM cursor;
         CREATE TABLE fault_base AS SELECT log, entity, rev FROM base;
         UPDATE cursor SET rev = 0; UPDATE base SET rev = 0;"
    }

    /// After it: what the answer did not touch is as it was, and the cursors are.
    pub(crate) fn after_late(&self) -> &'static str {
        "UPDATE base SET rev = (SELECT rev FROM fault_base AS was WHERE was.log = base.log AND was.entity = base.entity)
             WHERE rev = 0;
         UPDATE cursor SET rev = (SELECT rev FROM fault_cursor AS was
             WHERE was.log = cursor.log AND was.scope = cursor.scope)
             WHERE EXISTS (SELECT 1 FROM fault_cursor AS was WHERE was.log = cursor.log AND was.scope = cursor.scope);
         DROP TABLE fault_cursor; DROP TABLE fault_base;"
    }
}
