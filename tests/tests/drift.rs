//! The two databases have the same tables, and the store knows them as they are: columns, kinds of values, what may be
//! missing, keys, indexes. Read from the databases' own catalogues after all migrations, never from the SQL text.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use databases::{Kind, sql};
use rusqlite::Connection;
use server::store::{LOG_TABLES, Store, VIEW_TABLES, WORKING_TABLES};

/// Facts about a database, each on a line of its own, the same words for both.
type Facts = BTreeSet<String>;

const NONE: [String; 0] = [];

fn is_ours(table: &str) -> bool {
    !table.starts_with("__diesel") && !table.starts_with("sqlite_")
}

fn fact_of_column(table: &str, name: &str, kind: &str, required: bool) -> String {
    format!("column {table}.{name} {kind}{}", if required { "" } else { " or nothing" })
}

/// What SQLite says of itself.
fn sqlite(path: &Path) -> Facts {
    let db = Connection::open(path).unwrap();
    let rows = |query: &str| -> Vec<Vec<String>> {
        let mut statement = db.prepare(query).unwrap();
        let width = statement.column_count();
        let text = |value: rusqlite::types::Value| match value {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Null => String::new(),
            other => panic!("{other:?}"),
        };
        let row = |row: &rusqlite::Row<'_>| (0..width).map(|n| Ok(text(row.get(n)?))).collect::<Result<_, _>>();
        statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let mut facts = Facts::new();
    for object in rows("SELECT type, name, tbl_name, sql FROM sqlite_schema") {
        let [kind, name, table, text] = object.try_into().unwrap();
        match kind.as_str() {
            "table" if is_ours(&name) => {
                if text.to_uppercase().contains(" CHECK (") {
                    facts.insert(format!("a check on {name}"));
                }
            }
            "table" | "index" => {}
            _ => drop(facts.insert(format!("{kind} {name} on {table}"))),
        }
    }
    for table in rows("SELECT name FROM sqlite_schema WHERE type = 'table'").concat().iter().filter(|it| is_ours(it)) {
        let columns =
            rows(&format!("SELECT name, type, \"notnull\", pk, dflt_value FROM pragma_table_info('{table}')"));
        facts.extend(sqlite_columns(table, &columns));
        for index in rows(&format!("SELECT name, \"unique\", origin, partial FROM pragma_index_list('{table}')")) {
            let [name, unique, origin, partial] = index.try_into().unwrap();
            if origin == "pk" {
                continue;
            }
            let columns = rows(&format!(
                "SELECT name || iif(\"desc\", ' desc', '') FROM pragma_index_xinfo('{name}') WHERE key ORDER BY seqno"
            ));
            let named = if origin == "c" { name.as_str() } else { "" };
            facts.insert(fact_of_index(table, &columns.concat().join(", "), unique == "1", named, partial == "1"));
        }
        for key in
            rows(&format!("SELECT \"from\", \"table\", \"to\", on_delete FROM pragma_foreign_key_list('{table}')"))
        {
            facts.insert(format!(
                "{table}.{} refers to {}.{} on delete {}",
                key[0],
                key[1],
                key[2],
                key[3].to_lowercase()
            ));
        }
    }
    facts
}

/// Facts from rows of name, type, not null, place in the key, default.
fn sqlite_columns(table: &str, columns: &[Vec<String>]) -> Facts {
    let mut facts = Facts::new();
    let keys = columns.iter().filter(|column| column[3] != "0").count();
    let mut key = BTreeMap::new();
    for column in columns {
        let (name, is_key) = (&column[0], column[3] != "0");
        let kind = match column[1].as_str() {
            "BIGINT" => "bigint",
            // A number that is the only key is SQLite's own row number: 64 bits.
            "INTEGER" if is_key && keys == 1 => "bigint",
            "INTEGER" => "integer",
            "SMALLINT" => "smallint",
            "BLOB" => "bytes",
            "TEXT" => "text",
            "BOOLEAN" => "bool",
            other => panic!("{table}.{name} is declared {other:?}"),
        };
        facts.insert(fact_of_column(table, name, kind, column[2] == "1"));
        if !column[4].is_empty() {
            facts.insert(format!("default {table}.{name} {}", column[4].to_lowercase()));
        }
        if is_key {
            key.insert(column[3].parse::<u32>().unwrap(), name.clone());
        }
    }
    facts.insert(format!("key {table} ({})", key.into_values().collect::<Vec<_>>().join(", ")));
    facts
}

fn fact_of_index(table: &str, columns: &str, unique: bool, name: &str, partial: bool) -> String {
    let (unique, partial) = (if unique { "unique " } else { "" }, if partial { " partial" } else { "" });
    format!("{unique}index {name} on {table} ({columns}){partial}")
}

/// What PostgreSQL says of itself.
fn postgres(address: &str) -> Facts {
    let rows = |query: &str| -> Vec<Vec<String>> {
        sql(address, query).unwrap().iter().map(|line| line.split('|').map(str::to_owned).collect()).collect()
    };
    let ours = "t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE '\\_\\_diesel%'";
    let mut facts = Facts::new();
    let columns = format!(
        "SELECT t.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
         FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
             LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
         WHERE t.relkind = 'r' AND {ours} AND a.attnum > 0 AND NOT a.attisdropped"
    );
    for row in rows(&columns) {
        let kind = match row[2].as_str() {
            "bytea" => "bytes",
            "boolean" => "bool",
            known @ ("bigint" | "integer" | "smallint" | "text") => known,
            other => panic!("{}.{} is declared {other:?}", row[0], row[1]),
        };
        facts.insert(fact_of_column(&row[0], &row[1], kind, row[3] == "t"));
        if !row[4].is_empty() {
            let bare = row[4].split("::").next().unwrap_or_default().trim_matches(['(', ')']).to_lowercase();
            facts.insert(format!("default {}.{} {bare}", row[0], row[1]));
        }
    }
    let indexes = format!(
        "SELECT t.relname, i.relname, x.indisprimary, x.indisunique, x.indpred IS NOT NULL, EXISTS
                 (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.oid),
             (SELECT string_agg(pg_get_indexdef(i.oid, k, true) ||
                     CASE WHEN x.indoption[k - 1] & 1 = 1 THEN ' desc' ELSE '' END, ', ' ORDER BY k)
                 FROM generate_series(1, x.indnkeyatts) k)
         FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid WHERE {ours}"
    );
    for row in rows(&indexes) {
        if row[2] == "t" {
            facts.insert(format!("key {} ({})", row[0], row[6]));
            continue;
        }
        let named = if row[5] == "t" { "" } else { row[1].as_str() };
        facts.insert(fact_of_index(&row[0], &row[6], row[3] == "t", named, row[4] == "t"));
    }
    let constraints = format!(
        "SELECT c.contype, t.relname, pg_get_constraintdef(c.oid) FROM pg_constraint c
         JOIN pg_class t ON t.oid = c.conrelid WHERE {ours} AND c.contype NOT IN ('p', 'u')"
    );
    for row in rows(&constraints) {
        match row[0].as_str() {
            "c" => facts.insert(format!("a check on {}", row[1])),
            // None yet: the first one will want its words compared with SQLite's.
            _ => facts.insert(format!("{} {}", row[1], row[2])),
        };
    }
    for row in
        rows(&format!("SELECT t.relkind, t.relname FROM pg_class t WHERE t.relkind NOT IN ('r', 'i') AND {ours}"))
    {
        facts.insert(format!("{} {}", row[0], row[1]));
    }
    for row in rows("SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal") {
        facts.insert(format!("trigger {} on {}", row[0], row[1]));
    }
    facts
}

/// What the store's queries are compiled against: the columns and keys of `tables.rs`.
fn store() -> Facts {
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src/store").join(name);
        std::fs::read_to_string(path).unwrap()
    };
    let text = ["tables.rs", "tables/figures.rs", "tables/handing.rs", "tables/upkeep.rs", "tables/outbox.rs"]
        .map(read)
        .concat();
    let mut facts = Facts::new();
    for block in text.split("diesel::table! {").skip(1) {
        let (head, rest) = block.split_once('{').expect("a table");
        let (table, key) = head.trim().trim_end_matches(')').split_once(" (").expect("a key");
        facts.insert(format!("key {table} ({key})"));
        let columns = rest.split_once('}').expect("columns").0;
        for (name, kind) in columns.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(" -> ")) {
            let (kind, required) = match kind.strip_prefix("Nullable<") {
                Some(inner) => (inner.trim_end_matches('>'), false),
                None => (kind, true),
            };
            let kind = match kind {
                "BigInt" => "bigint",
                "Integer" => "integer",
                "SmallInt" => "smallint",
                "Binary" => "bytes",
                "Text" => "text",
                "Bool" => "bool",
                other => panic!("{table}.{name} is {other}"),
            };
            facts.insert(fact_of_column(table, name, kind, required));
        }
    }
    facts
}

fn tables(facts: &Facts) -> BTreeSet<&str> {
    facts.iter().filter_map(|fact| fact.strip_prefix("column ")?.split('.').next()).collect()
}

fn columns_and_keys(facts: &Facts) -> Facts {
    facts.iter().filter(|fact| fact.starts_with("column ") || fact.starts_with("key ")).cloned().collect()
}

fn differences(one: &Facts, other: &Facts) -> Vec<String> {
    let only = |which: &str, these: &Facts, those: &Facts| -> Vec<String> {
        these.difference(those).map(|fact| format!("only {which}: {fact}")).collect()
    };
    [only("the first", one, other), only("the second", other, one)].concat()
}

/// A database of each kind, brought up to date by the program itself.
fn migrated() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    for kind in Kind::BOTH {
        Store::open(&kind.address(folder.path())).unwrap();
    }
    let address = Kind::Postgres.address(folder.path());
    (folder, address)
}

#[test]
fn both_databases_and_the_store_agree_about_every_table() {
    let (folder, address) = migrated();
    let (sqlite, postgres) = (sqlite(&folder.path().join("rectify.db")), postgres(&address));
    assert!(sqlite.len() > 150, "{sqlite:#?}");
    assert_eq!(differences(&sqlite, &postgres), NONE, "SQLite, then PostgreSQL");
    assert_eq!(differences(&columns_and_keys(&sqlite), &store()), NONE, "SQLite, then tables.rs");
    // What an export, a rebuild and a backup do with a table follows from its kind: each is of exactly one.
    let named = [LOG_TABLES, VIEW_TABLES, WORKING_TABLES].concat();
    assert_eq!(named.iter().copied().collect::<BTreeSet<_>>(), tables(&sqlite));
    assert_eq!(named.len(), tables(&sqlite).len(), "none is named twice");
}

/// What a check can't see it does not check: every kind of drift is made, and found.
#[test]
fn every_kind_of_drift_is_found() {
    let drifts = [
        "ALTER TABLE entry ALTER COLUMN actor SET NOT NULL",
        "ALTER TABLE entry ALTER COLUMN line DROP NOT NULL",
        "ALTER TABLE entry ALTER COLUMN outcome TYPE integer",
        "ALTER TABLE entry ADD COLUMN more bigint",
        "ALTER TABLE entry ALTER COLUMN kind SET DEFAULT 'report'",
        "ALTER TABLE entry DROP COLUMN record",
        "ALTER TABLE entry DROP CONSTRAINT entry_pkey",
        "ALTER TABLE entry DROP CONSTRAINT entry_log_op_key",
        "ALTER TABLE entry ADD CHECK (rev > 0)",
        "ALTER TABLE entry ADD FOREIGN KEY (log) REFERENCES log",
        "DROP INDEX entry_by_entity",
        "CREATE UNIQUE INDEX more ON entry (log, leaf)",
        "ALTER INDEX entry_by_entity RENAME TO entry_by_case",
        "DROP INDEX entry_by_entity; CREATE INDEX entry_by_entity ON entry (log, rev, entity)",
        "DROP INDEX entry_by_entity; CREATE INDEX entry_by_entity ON entry (log, entity, rev DESC)",
        "DROP INDEX entry_by_entity; CREATE INDEX entry_by_entity ON entry (log, entity, rev) WHERE rev > 5",
        "CREATE TABLE more (n bigint PRIMARY KEY)",
        "DROP TABLE durable",
        "CREATE VIEW more AS SELECT 1",
        "CREATE SEQUENCE more",
    ];
    let (_folder, address) = migrated();
    let before = postgres(&address);
    for drift in drifts {
        sql(&address, drift).unwrap();
        assert_ne!(differences(&before, &postgres(&address)), NONE, "{drift}");
        sql(&address, "DROP SCHEMA public CASCADE; CREATE SCHEMA public").unwrap();
        Store::open(&address).unwrap();
        assert_eq!(differences(&before, &postgres(&address)), NONE, "as before");
    }
}
