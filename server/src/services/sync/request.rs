//! Reading a sync request: split strictly at newlines, each line by itself, so that one bad line spoils no other.

use schema::limits::{BATCH_OPS_MAX, INCARNATION_MAX, PROTOCOL, SCOPES_MAX, VALUES_PER_OP_MAX};
use schema::problem::ProblemCode;
use schema::sync::SyncHeader;
use sync_core::line;

use crate::error::{Error, Result};
use crate::services::ledger::PushLine;

/// The longest header: after a restore it carries receipts.
const HEADER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A request that was read.
pub(super) struct Request {
    pub(super) header: SyncHeader,
    pub(super) lines: Vec<PushLine>,
}

/// Reads a request.
pub(super) fn read(body: &[u8]) -> Result<Request> {
    let malformed = || Error::refused(ProblemCode::Malformed);
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    let mut pieces = body.split(|byte| *byte == b'\n');
    let first = pieces.next().ok_or_else(malformed)?;
    if first.len() > HEADER_BYTES_MAX {
        return Err(Error::refused(ProblemCode::TooLarge));
    }
    let header: SyncHeader = serde_json::from_slice(first).map_err(|_| malformed())?;
    check(&header)?;
    let count = usize::try_from(header.count).map_err(|_| malformed())?;
    let mut lines: Vec<PushLine> = Vec::with_capacity(count);
    for piece in pieces {
        if !line::is_value_line(piece) {
            // Refused before it is kept: 8 MiB of newlines would become a gigabyte of lines.
            if lines.len() >= count {
                return Err(malformed());
            }
            let op = line::read(piece).map(Box::new);
            lines.push(PushLine { bytes: piece.to_vec(), op, values: Vec::new() });
            continue;
        }
        let op = lines.last_mut().ok_or_else(malformed)?;
        if op.values.len() >= VALUES_PER_OP_MAX {
            return Err(Error::refused(ProblemCode::TooLarge));
        }
        match line::read_value(piece) {
            Ok(value) => op.values.push(value),
            // The op is taken all the same: it names the value by its hash, and the phone that made it keeps the text.
            Err(error) => tracing::debug!(error = %error, device.id = %header.device, "a value line can't be taken"),
        }
    }
    if lines.len() < count {
        return Err(Error::refused(ProblemCode::Truncated));
    }
    Ok(Request { header, lines })
}

fn check(header: &SyncHeader) -> Result<()> {
    let (lowest, highest) = header.protocol;
    if lowest > PROTOCOL || highest < PROTOCOL {
        return Err(Error::refused(ProblemCode::ProtocolUnsupported));
    }
    if usize::try_from(header.count).is_ok_and(|count| count > BATCH_OPS_MAX) || header.scopes.len() > SCOPES_MAX {
        return Err(Error::refused(ProblemCode::TooLarge));
    }
    let pushes = header.count > 0;
    if pushes && !(1..=INCARNATION_MAX).contains(&header.incarnation) {
        return Err(Error::invalid("incarnation"));
    }
    if pushes && !(1..=INCARNATION_MAX).contains(&header.first_seq) {
        return Err(Error::invalid("first_seq"));
    }
    Ok(())
}
