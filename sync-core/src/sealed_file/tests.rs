//! Sealing and opening: every length, every cut, every flipped bit.

use std::io::{self, Read, Write};

use super::{ExportSecret, MAGIC, Opener, PIECE_BYTES, SealedFileError, Sealer};

fn secret(byte: u8) -> ExportSecret {
    ExportSecret::from_bytes(&[byte; 32]).unwrap()
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    let mut sealer = Sealer::new(Vec::new(), &secret(1).key(), [9; 32]).unwrap();
    sealer.write_all(plain).unwrap();
    sealer.finish().unwrap()
}

fn opened(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    match Opener::new(bytes, &secret(1)) {
        Ok(mut opener) => opener.read_to_end(&mut plain).map(|_| plain),
        Err(SealedFileError::Cut) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(other) => Err(io::Error::new(io::ErrorKind::InvalidData, other)),
    }
}

#[test]
fn what_is_sealed_opens_whatever_its_length() {
    for length in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES, 200_001] {
        let plain: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let file = sealed(&plain);
        assert_eq!(opened(&file).unwrap(), plain, "{length} bytes");
        if length > 100 {
            assert!(!file.windows(64).any(|window| window == &plain[..64]), "nothing of it is plain");
        }
    }
}

#[test]
fn a_file_for_another_server_is_told_from_a_broken_one() {
    let file = sealed(b"x");
    assert!(matches!(Opener::new(file.as_slice(), &secret(2)), Err(SealedFileError::Foreign)));
    assert!(matches!(
        Opener::new(&b"{\"rectify_export\":1,\"and\":\"more\"}"[..], &secret(1)),
        Err(SealedFileError::NotSealed)
    ));
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_never_a_shorter_one() {
    let piece = PIECE_BYTES + 16;
    let head = MAGIC.len() + 64;
    let file = sealed(&vec![7; 2 * PIECE_BYTES + 10]);
    for end in [0, 5, head - 1, head, head + 15, head + piece, head + 2 * piece] {
        let kind = opened(&file[..end]).unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::UnexpectedEof, "cut off at {end} of {}", file.len());
    }
    // In the middle of a piece nobody can tell; it is refused all the same.
    assert!(opened(&file[..head + 100]).is_err());
}

#[test]
fn a_flipped_bit_and_swapped_pieces_are_seen() {
    let piece = PIECE_BYTES + 16;
    let head = MAGIC.len() + 64;
    let file = sealed(&vec![7; 2 * PIECE_BYTES + 10]);
    for at in (0..file.len()).step_by(997).chain([file.len() - 1]) {
        let mut flipped = file.clone();
        flipped[at] ^= 1;
        assert!(opened(&flipped).is_err(), "a bit at {at}");
    }
    let mut swapped = file.clone();
    swapped[head..head + 2 * piece].rotate_left(piece);
    assert_eq!(opened(&swapped).unwrap_err().kind(), io::ErrorKind::InvalidData);
    let longer = [file.as_slice(), b"x"].concat();
    assert!(opened(&longer).is_err());
}
