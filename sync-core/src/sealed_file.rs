//! A file that only one server can read: HPKE (RFC 9180) in base mode, X25519, HKDF-SHA256, ChaCha20-Poly1305. Behind
//! [`MAGIC`] stand the recipient's public key and the encapsulated one, then pieces of [`PIECE_BYTES`], each with its tag
//! and sealed in its order; the last one is sealed as the last, so that a file that was cut off is not a shorter one.
//! Randomness is an argument.

use std::convert::Infallible;
use std::io::{self, BufRead, BufReader, Read, Write};

use hpke::aead::{AeadCtxR, AeadCtxS, ChaCha20Poly1305};
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem, X25519HkdfSha256};
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, OpModeR, OpModeS, Serializable, setup_receiver, setup_sender_with_rng};
use schema::hash::ExportKey;

/// How such a file begins.
pub const MAGIC: &[u8] = b"rectify sealed export 1\n";
/// Plain bytes of a piece.
pub const PIECE_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
const INFO: &[u8] = b"rectify export 1";
const MORE: &[u8] = b"more";
const LAST: &[u8] = b"last";

/// The server's side of the key: 32 bytes that are the X25519 secret.
#[derive(Clone)]
pub struct ExportSecret(<X25519HkdfSha256 as Kem>::PrivateKey);

/// Why a file can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum SealedFileError {
    /// The bytes are no key.
    #[error("no key of this kind")]
    NotAKey,
    /// Sealed to another server.
    #[error("the file is sealed to another server")]
    Foreign,
    /// It ends before its end.
    #[error("the file is cut off")]
    Cut,
    /// It does not begin as it should.
    #[error("this is no sealed file")]
    NotSealed,
    /// It could not be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ExportSecret {
    /// From 32 secret bytes.
    ///
    /// # Errors
    /// [`SealedFileError::NotAKey`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SealedFileError> {
        Deserializable::from_bytes(bytes).map(Self).map_err(|_| SealedFileError::NotAKey)
    }

    /// What phones are given.
    pub fn key(&self) -> ExportKey {
        let mut key = ExportKey([0; 32]);
        key.0.copy_from_slice(&X25519HkdfSha256::sk_to_pk(&self.0).to_bytes());
        key
    }
}

/// Random bytes that were drawn before: HPKE asks for 32 of them, once.
struct Drawn([u8; 32]);

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        for (to, from) in to.chunks_mut(self.0.len()).zip(std::iter::repeat(self.0)) {
            to.copy_from_slice(from.get(..to.len()).unwrap_or_default());
        }
        self.0 = crate::line::sha256(&self.0).0;
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

/// Seals what is written to it. [`Sealer::finish`] makes it whole.
pub struct Sealer<W: Write> {
    to: W,
    context: AeadCtxS<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>,
    piece: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// A key that is none; the writer's.
    pub fn new(mut to: W, key: &ExportKey, random: [u8; 32]) -> Result<Self, SealedFileError> {
        let recipient = Deserializable::from_bytes(&key.0).map_err(|_| SealedFileError::NotAKey)?;
        let (encapsulated, context) =
            setup_sender_with_rng::<_, _, X25519HkdfSha256>(&OpModeS::Base, &recipient, INFO, &mut Drawn(random))
                .map_err(|_| SealedFileError::NotAKey)?;
        to.write_all(MAGIC)?;
        to.write_all(&key.0)?;
        to.write_all(&encapsulated.to_bytes())?;
        Ok(Self { to, context, piece: Vec::with_capacity(PIECE_BYTES) })
    }

    fn seal(&mut self, place: &[u8]) -> io::Result<()> {
        let sealed = self.context.seal(&self.piece, place).map_err(|error| io::Error::other(error.to_string()))?;
        self.piece.clear();
        self.to.write_all(&sealed)
    }

    /// Writes the last piece.
    ///
    /// # Errors
    /// The writer's.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal(LAST)?;
        self.to.flush()?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The last piece is sealed at the end: a full one waits until more comes.
        if self.piece.len() == PIECE_BYTES {
            self.seal(MORE)?;
        }
        let room = PIECE_BYTES.saturating_sub(self.piece.len()).min(bytes.len());
        self.piece.extend_from_slice(bytes.get(..room).unwrap_or_default());
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what a [`Sealer`] wrote. An error of kind `InvalidData` says that the file was changed, `UnexpectedEof` that it
/// is cut off.
pub struct Opener<R: Read> {
    from: BufReader<R>,
    context: AeadCtxR<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Opener<R> {
    /// Begins to read.
    ///
    /// # Errors
    /// See [`SealedFileError`].
    pub fn new(from: R, secret: &ExportSecret) -> Result<Self, SealedFileError> {
        let mut from = BufReader::with_capacity(PIECE_BYTES + TAG_BYTES, from);
        let mut magic = vec![0; MAGIC.len()];
        let cut = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => SealedFileError::Cut,
            _ => SealedFileError::Io(error),
        };
        from.read_exact(&mut magic).map_err(cut)?;
        if magic != MAGIC {
            return Err(SealedFileError::NotSealed);
        }
        let (mut recipient, mut encapsulated) = ([0; 32], [0; 32]);
        from.read_exact(&mut recipient).map_err(cut)?;
        from.read_exact(&mut encapsulated).map_err(cut)?;
        if recipient != secret.key().0 {
            return Err(SealedFileError::Foreign);
        }
        let encapsulated = Deserializable::from_bytes(&encapsulated).map_err(|_| SealedFileError::NotAKey)?;
        let context =
            setup_receiver(&OpModeR::Base, &secret.0, &encapsulated, INFO).map_err(|_| SealedFileError::NotAKey)?;
        Ok(Self { from, context, piece: Vec::new(), at: 0, ended: false })
    }

    fn next_piece(&mut self) -> io::Result<()> {
        let mut sealed = Vec::with_capacity(PIECE_BYTES + TAG_BYTES);
        let most = u64::try_from(PIECE_BYTES + TAG_BYTES).unwrap_or(u64::MAX);
        (&mut self.from).take(most).read_to_end(&mut sealed)?;
        self.ended = self.from.fill_buf()?.is_empty();
        let place = if self.ended { LAST } else { MORE };
        match self.context.open(&sealed, place) {
            Ok(piece) => {
                (self.piece, self.at) = (piece, 0);
                Ok(())
            }
            // Cut between two pieces: this one opens, but not as the last.
            Err(_) if self.ended && (sealed.len() < TAG_BYTES || self.context.open(&sealed, MORE).is_ok()) => {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Err(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            if self.ended {
                return Ok(0);
            }
            self.next_piece()?;
        }
        let left = self.piece.get(self.at..).unwrap_or_default();
        let count = left.len().min(to.len());
        if let (Some(to), Some(from)) = (to.get_mut(..count), left.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
