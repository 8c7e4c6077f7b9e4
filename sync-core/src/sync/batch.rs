//! The bytes of a sync request: header, op lines, value lines. It does not know where ops are kept.

use schema::limits::{BATCH_BYTES_MAX, BATCH_OPS_MAX};
use schema::op::SealedValue;
use schema::sync::SyncHeader;

/// An op as it travels: its exact line and the values it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpLine {
    /// The line, byte for byte as it was captured.
    pub line: Vec<u8>,
    /// The values behind it.
    pub values: Vec<SealedValue>,
}

impl OpLine {
    /// Roughly how many bytes it takes before compression.
    pub fn bytes(&self) -> usize {
        let values: usize = self.values.iter().map(|value| value.value.len().saturating_add(160)).sum();
        self.line.len().saturating_add(values).saturating_add(1)
    }
}

/// How many of these ops go into one request: at most `ops_max`, at most 256 KiB, and always at least one.
pub fn fitting(ops: &[OpLine], ops_max: usize) -> usize {
    let mut bytes: usize = 0;
    let mut count: usize = 0;
    for op in ops.iter().take(ops_max.clamp(1, BATCH_OPS_MAX)) {
        bytes = bytes.saturating_add(op.bytes());
        if count > 0 && bytes > BATCH_BYTES_MAX {
            break;
        }
        count = count.saturating_add(1);
    }
    count
}

/// The body: the header line, then each op line with its value lines behind it.
///
/// # Errors
/// None in practice: headers and values are all writable as JSON.
pub fn body(header: &SyncHeader, ops: &[OpLine]) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec(header)?;
    bytes.push(b'\n');
    for op in ops {
        bytes.extend_from_slice(&op.line);
        bytes.push(b'\n');
        for value in &op.values {
            serde_json::to_writer(&mut bytes, value)?;
            bytes.push(b'\n');
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::hash::{Hash, Salt};

    fn op(bytes: usize) -> OpLine {
        OpLine { line: vec![b'x'; bytes], values: Vec::new() }
    }

    #[test]
    fn a_batch_has_at_most_200_ops_and_256_kib_and_at_least_one() {
        assert_eq!(fitting(&vec![op(10); 500], 500), 200);
        assert_eq!(fitting(&vec![op(10); 500], 3), 3);
        assert_eq!(fitting(&vec![op(10); 500], 0), 1);
        assert_eq!(fitting(&vec![op(100 * 1024); 5], 200), 2);
        assert_eq!(fitting(&[op(BATCH_BYTES_MAX * 2), op(1)], 200), 1);
        assert_eq!(fitting(&[], 200), 0);
    }

    #[test]
    fn a_value_line_begins_as_the_protocol_says() {
        let value = SealedValue { sealed: Hash::ZERO, salt: Salt([0; 16]), value: "张三".into() };
        let line = serde_json::to_string(&value).unwrap();
        assert!(line.starts_with(schema::sync::SEALED_LINE_START), "{line}");
    }
}
