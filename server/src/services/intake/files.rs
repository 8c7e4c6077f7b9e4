//! Photos of a list by name: each file read once, whole, before anything is taken in.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use image::ImageReader;
use schema::catalogue::Text;
use schema::hash::Hash;
use schema::limits::{PHOTO_BYTES_MAX, PHOTOS_PER_OP_MAX};
use schema::op::{EvidenceRole, PhotoClaim, Taken, TakenBy};
use sha2::{Digest, Sha256};

use super::Fault;

/// How much of a file is in memory at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// A photo that a row names.
#[derive(Debug, Clone)]
pub(super) struct NamedPhoto {
    pub(super) path: PathBuf,
    pub(super) claim: PhotoClaim,
}

/// The folder of photos, and who named what in it.
pub(super) struct Files {
    folder: Option<PathBuf>,
    by_name: HashMap<String, u64>,
    by_hash: HashMap<Hash, (u64, String)>,
}

impl Files {
    pub(super) fn new(folder: Option<&Path>) -> Self {
        Self { folder: folder.map(Path::to_path_buf), by_name: HashMap::new(), by_hash: HashMap::new() }
    }

    /// The photos of a row; what is wrong goes to `faults`.
    pub(super) fn named(&mut self, row: u64, column: &str, cell: &str, faults: &mut Vec<Fault>) -> Vec<NamedPhoto> {
        let names: Vec<&str> = cell.split([';', '；']).map(str::trim).filter(|name| !name.is_empty()).collect();
        if names.len() > PHOTOS_PER_OP_MAX {
            let (zh, en) = (format!("最多 {PHOTOS_PER_OP_MAX} 张照片"), format!("at most {PHOTOS_PER_OP_MAX} photos"));
            faults.push(Fault::of_column(row, column, &zh, &en));
            return Vec::new();
        }
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            match self.one(row, name) {
                Ok(photo) => found.push(photo),
                Err(Text { zh, en }) => {
                    let shown: String = name.escape_debug().collect();
                    faults.push(Fault::of_column(row, column, &format!("{shown}：{zh}"), &format!("{shown}: {en}")));
                }
            }
        }
        found
    }

    /// How many files of the folder no row names.
    pub(super) fn left_over(&self) -> Option<usize> {
        let entries = fs::read_dir(self.folder.as_ref()?).ok()?;
        let name = |entry: fs::DirEntry| entry.file_name().into_string().ok();
        let unnamed = |name: &String| !name.starts_with('.') && !self.by_name.contains_key(name);
        Some(entries.filter_map(Result::ok).filter_map(name).filter(unnamed).count())
    }

    fn one(&mut self, row: u64, name: &str) -> Result<NamedPhoto, Text> {
        let Some(folder) = &self.folder else {
            return Err(said(
                "没有给出照片文件夹，请加 --photos 文件夹",
                "there is no folder of photos: add --photos DIR",
            ));
        };
        // A name is a file of the folder and nothing else: no list reaches other files of the server.
        if name.contains(['/', '\\', '\0']) || name == "." || name == ".." {
            return Err(said("只能是文件名，不能是路径", "it must be the name of a file, not a path"));
        }
        if let Some(first) = self.by_name.insert(name.to_owned(), row) {
            let (zh, en) = (format!("第 {first} 行已用过这张照片"), format!("row {first} names this photo already"));
            return Err(said(&zh, &en));
        }
        let path = folder.join(name);
        let claim = read(&path)?;
        if let Some((first, other)) = self.by_hash.insert(claim.sha256, (row, name.to_owned())) {
            let zh = format!("与第 {first} 行的 {other} 是同一张照片");
            return Err(said(&zh, &format!("it is the same picture as {other} of row {first}")));
        }
        Ok(NamedPhoto { path, claim })
    }
}

fn said(zh: &str, en: &str) -> Text {
    Text { zh: zh.to_owned(), en: en.to_owned() }
}

/// Reads a file through: its size, its hash, and whether it begins as a picture that the server can show.
fn read(path: &Path) -> Result<PhotoClaim, Text> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => said("文件夹中没有这张照片", "there is no such file in the folder"),
        _ => said(&format!("无法读取（{error}）"), &format!("it can't be read ({error})")),
    };
    let metadata = fs::symlink_metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(said("不是普通文件", "it is no plain file"));
    }
    let size = metadata.len();
    if size == 0 || size > PHOTO_BYTES_MAX {
        let (zh, en) = ("大小必须在 1 字节至 25 MB 之间", "it must have 1 byte to 25 MB");
        return Err(said(zh, en));
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut read = 0_u64;
    loop {
        let count = file.read(&mut chunk).map_err(unreadable)?;
        let Some(part) = chunk.get(..count).filter(|part| !part.is_empty()) else { break };
        hasher.update(part);
        read = read.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    if read != size {
        return Err(said("读取时文件正在变化，请稍后再试", "the file changes while it is read: try again later"));
    }
    let picture = File::open(path).map_err(unreadable)?;
    let known = ImageReader::new(BufReader::new(picture)).with_guessed_format().map_err(unreadable)?;
    if known.into_dimensions().is_err() {
        return Err(said("不是 JPEG、PNG 或 WebP 照片，或已损坏", "it is no JPEG, PNG or WebP picture, or is damaged"));
    }
    let taken = Taken { by: TakenBy::File, wall_ms: None, position: None, mock_position: false };
    Ok(PhotoClaim { sha256: Hash(hasher.finalize().into()), size, role: EvidenceRole::Before, taken })
}
