//! INV-DETERMINISM: the same deeds give the same bytes, on every platform and in every later version of these rules.
//! A change of this hash is a change of the rules: it needs a new rules number, and the old rules must stay.

use sync_core::line::sha256;

use crate::bodies::report;
use crate::desk::{Desk, INSPECTOR, OTHER_CASE, PEOPLE};
use crate::laws::{Deed, body};

/// A small generator of its own, so that no crate's next version changes the deeds.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

#[test]
fn two_thousand_deeds_give_the_bytes_they_always_gave() {
    assert_eq!(bytes_under(1), "dd6d4da92cd128edc1a8e87471d847222170a5660c182ce8bfd5d6645affb0a4");
    assert_eq!(bytes_under(2), "8bbcc3bbf14a770cc18d93fe832b497fa9f58f56d315caa5738683155d6820b9");
}

fn bytes_under(rules: u32) -> String {
    let mut numbers = Numbers(0x5EED);
    let mut all = Vec::new();
    for _ in 0..50 {
        let mut desk = Desk::reported_under(rules);
        let other = desk.op(INSPECTOR, OTHER_CASE, &report(&[]));
        desk.take(&other);
        for _ in 0..40 {
            let deed = Deed {
                who: usize::try_from(numbers.below(u64::try_from(PEOPLE).expect("small"))).expect("small"),
                what: u8::try_from(numbers.below(20)).expect("small"),
                byte: u8::try_from(1 + numbers.below(5)).expect("small"),
                seen_back: numbers.below(6),
            };
            let seen = desk.rev.saturating_sub(deed.seen_back);
            let decision = desk.act_at(deed.who, seen, body(&deed));
            all.extend(serde_json::to_vec(&decision.record).expect("writable"));
            if desk.rev.is_multiple_of(3) {
                desk.arrive(deed.byte);
            }
        }
        all.extend(serde_json::to_vec(&desk.entities.values().collect::<Vec<_>>()).expect("writable"));
    }
    sha256(&all).to_string()
}
