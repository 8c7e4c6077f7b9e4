//! The worked example of docs/protocol-log.md, step by step. Its numbers were first computed by a program that shares
//! no code with this crate; here they are computed again and looked up in the document, so that both stay true.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::hash::Hash;
use schema::ids::{AccountId, BootId, DeviceId, EntityId, EpochId, LogId, OpId};
use schema::op::Captured;
use schema::record::{Leaf, OutcomeLine};
use schema::sync::{Receipt, ReceiptOp, SyncHeader};
use uuid::Uuid;

use super::chain::{self, DeviceSecret};
use super::checkpoint::{Signer, origin};
use super::tree::{MemoryHashes, leaf_hash, prove_consistency, prove_inclusion};
use super::{leaf, receipt, tree};
use crate::line::sha256;

pub(super) const RECORD: &str = r#"{"outcome":"accepted","rules":1}"#;

/// 16 bytes that count up from the first.
pub(super) fn id(first: u8) -> Uuid {
    Uuid::from_bytes(std::array::from_fn(|place| first.wrapping_add(u8::try_from(place).unwrap())))
}

pub(super) fn example_leaf() -> Leaf {
    Leaf {
        log: LogId(id(0x10)),
        epoch: EpochId(id(0x20)),
        rev: 7,
        op: OpId(id(0x30)),
        device: DeviceId(id(0x40)),
        incarnation: 0x0123_4567_89ab,
        device_seq: 3,
        actor: AccountId(id(0x50)),
        entity: EntityId(id(0x60)),
        prev_leaf: Hash([0x70; 32]),
        received_ms: 1_796_000_000_000,
        first_received_ms: 1_795_999_999_000,
        outcome: 1,
        state_after: 6,
        line_hash: sha256(b"line"),
        record_hash: sha256(RECORD.as_bytes()),
        kind: "close".into(),
    }
}

pub(super) fn answer(record: &str) -> OutcomeLine {
    let leaf = example_leaf();
    OutcomeLine {
        op: leaf.op,
        rev: leaf.rev,
        epoch: leaf.epoch,
        incarnation: leaf.incarnation,
        device_seq: leaf.device_seq,
        entity: leaf.entity,
        kind: leaf.kind,
        prev_leaf: leaf.prev_leaf,
        received_ms: leaf.received_ms,
        first_received_ms: leaf.first_received_ms,
        state_after: leaf.state_after,
        record: record.into(),
    }
}

pub(super) fn example_header() -> SyncHeader {
    let leaf = example_leaf();
    SyncHeader {
        protocol: (1, 1),
        log: leaf.log,
        device: leaf.device,
        epoch: None,
        app: "test/1".into(),
        incarnation: leaf.incarnation,
        first_seq: leaf.device_seq,
        count: 1,
        chain: chain::next(&Hash::ZERO, leaf.log, leaf.incarnation, leaf.device_seq, &leaf.line_hash),
        signature: None,
        clock: Captured { wall_ms: -2, elapsed_ms: 86_400_000, boot: BootId(id(0x80)) },
        scopes: BTreeMap::new(),
        own: 0,
        checkpoint: None,
        durable_checkpoint: None,
        rows: None,
        receipts: Vec::new(),
    }
}

/// The P-256 secret of RFC 6979 §A.2.5.
pub(super) fn example_device() -> DeviceSecret {
    let secret = hex::decode("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721").unwrap();
    DeviceSecret::from_bytes(&secret.try_into().unwrap()).unwrap()
}

pub(super) fn example_signer() -> Signer {
    let seed = [id(0xa0).into_bytes(), id(0xb0).into_bytes()].concat();
    Signer::new("rectify.example", &seed.try_into().unwrap())
}

pub(super) fn example_receipt() -> Receipt {
    let (leaf, header) = (example_leaf(), example_header());
    let op = ReceiptOp {
        op: leaf.op,
        rev: leaf.rev,
        first_received_ms: leaf.first_received_ms,
        leaf: leaf::hash(&leaf),
        number: None,
    };
    Receipt {
        log: leaf.log,
        epoch: leaf.epoch,
        device: leaf.device,
        incarnation: leaf.incarnation,
        first_seq: leaf.device_seq,
        chain: header.chain,
        ops: vec![op],
    }
}

const DOCUMENT: &str = include_str!("../../../docs/protocol-log.md");

/// Whether the document says it, on one line or broken over several.
fn says(value: &str) {
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    assert!(squeeze(DOCUMENT).contains(&squeeze(value)), "docs/protocol-log.md should say {value}");
}

#[test]
fn leaf_and_chain() {
    says(&hex::encode(leaf::encode(&example_leaf())));
    says(&leaf::hash(&example_leaf()).to_string());
    says(&example_leaf().line_hash.to_string());
    says(&example_leaf().record_hash.to_string());
    says(&example_header().chain.to_string());
    let message = chain::batch_message(&example_header());
    says(&hex::encode(&message));
    says(&hex::encode(example_device().key().0));
    says(&STANDARD.encode(example_device().sign(&message).0));
}

/// Six leaves of one byte, and the leaf above.
fn example_tree() -> MemoryHashes {
    let first = (1_u8..=6).map(|byte| leaf_hash(&[byte]));
    first.chain([leaf::hash(&example_leaf())]).collect()
}

#[test]
fn tree_and_proofs() {
    let mut hashes = example_tree();
    let head = hashes.head();
    let before = (1_u8..=6).map(|byte| leaf_hash(&[byte])).collect::<MemoryHashes>().head();
    says(&head.root.to_string());
    says(&before.root.to_string());
    let inclusion = prove_inclusion(&mut hashes, 6, 7).unwrap();
    assert!(tree::verify_inclusion(&leaf::hash(&example_leaf()), 6, &head, &inclusion));
    let consistency = prove_consistency(&mut hashes, 6, 7).unwrap();
    assert!(tree::verify_consistency(&before, &head, &consistency));
    let list = |proof: &[Hash]| proof.iter().map(Hash::to_string).collect::<Vec<_>>().join("\n");
    says(&format!("inclusion\n{}\n", list(&inclusion)));
    says(&format!("consistency\n{}\n", list(&consistency)));
}

#[test]
fn checkpoint_and_receipt() {
    let (leaf, signer) = (example_leaf(), example_signer());
    says(&signer.verifier_key());
    let note = signer.checkpoint(&origin("rectify.example", leaf.log, leaf.epoch), &example_tree().head());
    assert!(DOCUMENT.contains(&note), "docs/protocol-log.md should hold\n{note}");
    let receipt = receipt::sign(&signer, &example_receipt()).unwrap();
    says(&receipt.text);
    says(&receipt.signature.to_string());
}
