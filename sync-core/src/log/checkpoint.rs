//! Checkpoints: C2SP tlog-checkpoint as a signed note (Ed25519). Origin is `host/log/epoch`.
//! It does not know which heads were signed before: that a signer never contradicts itself is the server's to keep.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature as Ed25519Signature, Signer as _, SigningKey, VerifyingKey};
use schema::hash::{Hash, Signature};
use schema::ids::{EpochId, LogId};
use schema::limits::NOTE_BYTES_MAX;
use schema::sync::TreeHead;
use sha2::{Digest, Sha256};

/// The signature type of plain Ed25519 (C2SP signed-note, "Signature types").
const ED25519: u8 = 1;
/// How a signature line begins (C2SP signed-note, "Format").
const SIGNATURE_LINE_START: &str = "\u{2014} ";

/// The log's signer: an Ed25519 key with a name.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    public: Verifier,
}

/// A signer's public half, from its verifier key (`NAME+HASH+KEY`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

/// Why a checkpoint or a verifier key is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a verifier key.
    #[error("not a verifier key (NAME+HASH+KEY)")]
    NotAVerifierKey,
    /// Not a signed note with a checkpoint in it.
    #[error("not a checkpoint")]
    Malformed,
    /// No good signature of this signer.
    #[error("the checkpoint is not signed by {0}")]
    NotSigned(String),
}

/// A checkpoint whose signature is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its origin line.
    pub origin: String,
    /// Size and root.
    pub head: TreeHead,
}

/// The origin of a log's checkpoints in an epoch: `host/log/epoch`. Each epoch has its own, because a log that was
/// restored may sign a smaller head (C2SP tlog-checkpoint: one origin never signs inconsistent heads).
pub fn origin(host: &str, log: LogId, epoch: EpochId) -> String {
    format!("{host}/{log}/{epoch}")
}

/// Host, log and epoch of an origin.
pub fn read_origin(origin: &str) -> Option<(&str, LogId, EpochId)> {
    let (rest, epoch) = origin.rsplit_once('/')?;
    let (host, log) = rest.rsplit_once('/')?;
    Some((host, log.parse().ok()?, epoch.parse().ok()?))
}

/// Whether a signer may have this name: not empty, no spaces, no `+` (C2SP signed-note, "Format"), nothing that
/// breaks a line.
pub fn is_signer_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

impl Signer {
    /// From a name (see [`is_signer_name`]: who reads the configuration checks it) and 32 random bytes.
    pub fn new(name: &str, seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let public = Verifier::of(name, key.verifying_key());
        Self { key, public }
    }

    /// The verifier key to print and to hand to phones.
    pub fn verifier_key(&self) -> String {
        self.public.to_string()
    }

    /// The public half.
    pub fn verifier(&self) -> &Verifier {
        &self.public
    }

    /// Signs a checkpoint: origin, size and root, without extension lines (C2SP tlog-checkpoint, "Note text").
    pub fn checkpoint(&self, origin: &str, head: &TreeHead) -> String {
        self.note(&format!("{origin}\n{}\n{}\n", head.size, STANDARD.encode(head.root.0)))
    }

    /// Signs a text that ends with a newline (C2SP signed-note, "Ed25519 signatures").
    fn note(&self, text: &str) -> String {
        let mut blob = self.public.id.to_vec();
        blob.extend(self.sign(text.as_bytes()).0);
        format!("{text}\n{SIGNATURE_LINE_START}{} {}\n", self.public.name, STANDARD.encode(blob))
    }

    /// Signs bytes (receipts). They must begin with a context of their own that no checkpoint begins with.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.key.sign(message).to_bytes())
    }
}

impl Verifier {
    /// The key id is the first four bytes of SHA-256(name ‖ newline ‖ type ‖ key) (C2SP signed-note, "Signatures").
    fn of(name: &str, key: VerifyingKey) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(name);
        hasher.update([b'\n', ED25519]);
        hasher.update(key.as_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        let [a, b, c, d, ..] = digest;
        Self { name: name.to_owned(), id: [a, b, c, d], key }
    }

    /// Reads a verifier key: `NAME+HASH+KEY`, the hash as 8 lower-case hex digits, the key as base64 of type and
    /// 32 bytes (Go's `sumdb/note`, which C2SP signed-note describes).
    ///
    /// # Errors
    /// [`CheckpointError::NotAVerifierKey`]; also for a key of small order, under which anything could be signed.
    pub fn parse(key: &str) -> Result<Self, CheckpointError> {
        Self::read(key).ok_or(CheckpointError::NotAVerifierKey)
    }

    fn read(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (_, key) = rest.split_once('+')?;
        let bytes: [u8; 33] = STANDARD.decode(key).ok()?.try_into().ok()?;
        let (kind, key) = bytes.split_first_chunk::<1>()?;
        let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
        let verifier = Self::of(name, key);
        let good = is_signer_name(name) && *kind == [ED25519] && !key.is_weak() && verifier.to_string() == text;
        good.then_some(verifier)
    }

    /// The signer's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads a checkpoint and checks its signature. Whose log and epoch it is of, its origin says: the caller compares.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn checkpoint(&self, note: &str) -> Result<Checkpoint, CheckpointError> {
        read_text(self.open(note)?).ok_or(CheckpointError::Malformed)
    }

    /// The text of a note that this signer signed. Lines of other signers (witnesses, the key before or after this
    /// one) must be signature lines and are not looked into; a bad one of this signer spoils the note
    /// (C2SP signed-note, "Signatures").
    fn open<'a>(&self, note: &'a str) -> Result<&'a str, CheckpointError> {
        let strange = |c: char| c < ' ' && c != '\n';
        if note.len() > NOTE_BYTES_MAX || note.contains(strange) {
            return Err(CheckpointError::Malformed);
        }
        let (text, lines) = split_note(note).ok_or(CheckpointError::Malformed)?;
        let mut signed = false;
        for line in lines.split('\n') {
            let line = SignatureLine::read(line).ok_or(CheckpointError::Malformed)?;
            if line.name != self.name || line.id != self.id {
                continue;
            }
            signed = match line.signature.try_into() {
                Ok(signature) => self.verify(text.as_bytes(), &Signature(signature)),
                Err(_) => false,
            };
            if !signed {
                break;
            }
        }
        if signed { Ok(text) } else { Err(CheckpointError::NotSigned(self.name.clone())) }
    }

    /// Whether a signature is this signer's over the message (RFC 8032, without its malleable and small-order forms).
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        self.key.verify_strict(message, &Ed25519Signature::from_bytes(&signature.0)).is_ok()
    }
}

impl std::fmt::Display for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![ED25519];
        key.extend(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id), STANDARD.encode(key))
    }
}

/// The text with its last newline, and the signature lines without theirs.
fn split_note(note: &str) -> Option<(&str, &str)> {
    let (before, lines) = note.rsplit_once("\n\n")?;
    Some((note.get(..=before.len())?, lines.strip_suffix('\n')?))
}

/// A signature line in its parts, unchecked.
struct SignatureLine<'a> {
    name: &'a str,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl<'a> SignatureLine<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (name, blob) = line.strip_prefix(SIGNATURE_LINE_START)?.split_once(' ')?;
        let blob = STANDARD.decode(blob).ok()?;
        let (id, signature) = blob.split_first_chunk::<4>()?;
        let good = is_signer_name(name) && !signature.is_empty();
        good.then(|| Self { name, id: *id, signature: signature.to_vec() })
    }
}

/// The text of a checkpoint (C2SP tlog-checkpoint, "Note text"). Extension lines are allowed and say nothing to us.
fn read_text(text: &str) -> Option<Checkpoint> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let (origin, size_line, root) = (lines.next()?, lines.next()?, lines.next()?);
    let size: u64 = size_line.parse().ok()?;
    let one_spelling = size.to_string() == size_line;
    let root: [u8; 32] = STANDARD.decode(root).ok()?.try_into().ok()?;
    let good = one_spelling && !origin.is_empty() && lines.all(|line| !line.is_empty());
    good.then(|| Checkpoint { origin: origin.to_owned(), head: TreeHead { size, root: Hash(root) } })
}

#[cfg(test)]
mod tests;
