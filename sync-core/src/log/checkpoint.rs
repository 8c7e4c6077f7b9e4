//! Checkpoints: C2SP tlog-checkpoint as a signed note (Ed25519). Origin is `host/log/epoch`.

use schema::hash::Signature;
use schema::sync::TreeHead;

/// The log's signer: an Ed25519 key with a name.
#[derive(Clone)]
pub struct Signer {}

/// A signer's public half, from its verifier key (`NAME+HASH+KEY`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {}

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

impl Signer {
    /// From a name (no spaces, no `+`) and 32 random bytes.
    pub fn new(name: &str, seed: &[u8; 32]) -> Self {
        let _ = (name, seed);
        todo!()
    }
    /// The verifier key to print and to hand to phones.
    pub fn verifier_key(&self) -> String {
        todo!()
    }
    /// Signs a checkpoint.
    pub fn checkpoint(&self, origin: &str, head: &TreeHead) -> String {
        let _ = (origin, head);
        todo!()
    }
    /// Signs bytes (receipts).
    pub fn sign(&self, message: &[u8]) -> Signature {
        let _ = message;
        todo!()
    }
}

impl Verifier {
    /// Reads a verifier key.
    ///
    /// # Errors
    /// [`CheckpointError::NotAVerifierKey`].
    pub fn parse(key: &str) -> Result<Self, CheckpointError> {
        let _ = key;
        todo!()
    }
    /// Reads a checkpoint and checks its signature.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn checkpoint(&self, note: &str) -> Result<Checkpoint, CheckpointError> {
        let _ = note;
        todo!()
    }
    /// Whether a signature is this signer's over the message.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        let _ = (message, signature);
        todo!()
    }
}
