//! From recipes to files: each picture is made once, on all cores, and named in the ops that show it.

use std::num::NonZero;
use std::sync::Arc;

use schema::op::{Body, PhotoClaim};
use sync_core::line::sha256;

use super::tale::{Draft, Image, Shown};
use super::{Photo, Step};
use crate::demo::picture::Picture;

/// The pictures of the drafts, each once, in order of first use.
pub(super) fn pictures(drafts: &[Draft]) -> Vec<Picture> {
    let mut found: Vec<Picture> = Vec::new();
    for shown in drafts.iter().flat_map(|draft| &draft.photos) {
        match &shown.image {
            Image::Arrives(picture) if !found.contains(picture) => found.push(*picture),
            Image::Arrives(_) | Image::Lost(..) => {}
        }
    }
    found
}

/// Makes the files. A picture that can't be made is left out.
pub(super) fn make(pictures: &[Picture]) -> Vec<Photo> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = pictures.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = pictures.chunks(share).map(|part| scope.spawn(move || files(part))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

fn files(pictures: &[Picture]) -> Vec<Photo> {
    let made = |picture: &Picture| {
        let jpeg: Arc<[u8]> = picture.jpeg()?.into();
        Some(Photo { sha256: sha256(&jpeg), picture: *picture, jpeg })
    };
    pictures.iter().filter_map(made).collect()
}

/// Puts the files and their names into the steps.
pub(super) fn develop(drafts: Vec<Draft>, files: &[Photo]) -> Vec<Step> {
    drafts.into_iter().map(|draft| develop_one(draft, files)).collect()
}

fn develop_one(draft: Draft, files: &[Photo]) -> Step {
    let Draft { at_ms, account, entity, mut body, values, photos: shown } = draft;
    let mut photos: Vec<Photo> = Vec::new();
    let mut claims: Vec<PhotoClaim> = Vec::new();
    for Shown { role, taken, image } in shown {
        match image {
            Image::Lost(sha256, size) => claims.push(PhotoClaim { sha256, size, role, taken }),
            Image::Arrives(picture) => {
                let Some(file) = files.iter().find(|file| file.picture == picture) else { continue };
                let size = u64::try_from(file.jpeg.len()).unwrap_or(0);
                claims.push(PhotoClaim { sha256: file.sha256, size, role, taken });
                photos.push(file.clone());
            }
        }
    }
    if let Some(named) = named_in(&mut body) {
        *named = claims;
    }
    Step { at_ms, account, entity, body, values, photos }
}

/// Where an op names its photos.
fn named_in(body: &mut Body) -> Option<&mut Vec<PhotoClaim>> {
    match body {
        Body::Report(body) => Some(&mut body.photos),
        Body::SettleOnSite(body) => Some(&mut body.report.photos),
        Body::AddEvidence(body) => Some(&mut body.photos),
        Body::ReturnAssignment(body) => Some(&mut body.photos),
        Body::SubmitFix(body) => Some(&mut body.photos),
        Body::Check(body) => Some(&mut body.photos),
        Body::Reopen(body) => Some(&mut body.photos),
        Body::EndStage(body) => Some(&mut body.photos),
        Body::FinishHelp(body) => Some(&mut body.photos),
        Body::InterimCheck(body) => Some(&mut body.photos),
        Body::AppealOverdue(body) => Some(&mut body.photos),
        _ => None,
    }
}
