//! What a tick costs while many clocks are open: with 100,000 against 1,000 in one run.
//! `cargo bench -p server --bench tick` prints one JSON line and fails beyond 50 ms.

#![expect(clippy::unwrap_used, reason = "a bench that can't be laid out has nothing to say")]

use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use schema::catalogue::Text;
use schema::limits::DAY_MS;
use schema::sync::Durability;
use serde_json::json;
use server::clock::Clock;
use server::config::Config;
use server::services::installation::District;
use uuid::Uuid;

const NOW_MS: u64 = 1_780_000_000_000;
const FEW: u64 = 1_000;
const MANY: u64 = 100_000;
const TICK_MS_MAX: f64 = 50.0;
const ROUNDS: usize = 51;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::TempDir::new().unwrap();
        let config = Config {
            data: folder.path().to_owned(),
            database_url: None,
            photos: None,
            host: "bench.test".to_owned(),
            durability: Durability::Local,
            checkpoint_interval_ms: DAY_MS,
            listen: "127.0.0.1:0".to_owned(),
            proxies: Vec::new(),
            webhook_timeout: Duration::from_secs(5),
            district: District {
                name: Text { zh: "测量".to_owned(), en: "Bench".to_owned() },
                zone: "Asia/Shanghai".to_owned(),
            },
        };
        let running = server::start(config, Clock::standing(NOW_MS)).await.unwrap();
        let ledger = &running.app.logs.ledger;
        let mut file = Connection::open(folder.path().join("rectify.db")).unwrap();
        let mut open = 0;
        let mut ticks = Vec::new();
        for clocks in [FEW, MANY] {
            fill(&mut file, open, clocks);
            open = clocks;
            let mut times = Vec::new();
            for _ in 0..ROUNDS {
                let start = Instant::now();
                assert_eq!(ledger.tick(NOW_MS).await.unwrap(), 0);
                times.push(start.elapsed().as_secs_f64() * 1000.0);
            }
            times.sort_by(f64::total_cmp);
            ticks.push((times[ROUNDS / 2], times[ROUNDS - 1]));
        }
        let [(few_ms, _), (many_ms, slowest_ms)] = ticks[..] else { unreachable!("two were measured") };
        let result = json!({
            "bench": "tick", "clocks": MANY, "median_ms": many_ms, "slowest_ms": slowest_ms,
            "of_1000_median_ms": few_ms, "ratio": many_ms / few_ms,
        });
        println!("{result}");
        running.stop().await;
        assert!(slowest_ms <= TICK_MS_MAX, "a tick took {slowest_ms} ms, at most {TICK_MS_MAX}");
    });
}

/// Clocks that are due over the next hundred days.
fn fill(file: &mut Connection, from: u64, to: u64) {
    let log: i64 = file.query_row("SELECT num FROM log", [], |row| row.get(0)).unwrap();
    let all = file.transaction().unwrap();
    for n in from..to {
        let id = Uuid::from_u128(u128::from(n));
        let due_ms = NOW_MS + 1 + n * 100 * DAY_MS / MANY;
        let row = params![log, id.as_bytes().as_slice(), 3, due_ms.cast_signed(), n.cast_signed()];
        all.execute("INSERT INTO due (log, entity, kind, due_ms, occurrence) VALUES (?, ?, ?, ?, ?)", row).unwrap();
    }
    all.commit().unwrap();
}
