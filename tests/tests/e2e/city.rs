//! A district set up as an operator would: areas from GeoJSON, units, accounts, phones enrolled by one-time code.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use databases::Kind;
use schema::area::Level;
use serde_json::Value;
use server::demo::city::{City, city};
use server::demo::picture::Picture;
use server::services::geojson;
use tempfile::TempDir;
use tests::programs::{Installation, Phone};

pub(crate) struct District {
    pub(crate) folder: TempDir,
    pub(crate) installation: Installation,
    pub(crate) city: City,
}

impl District {
    /// An installation with areas; its server runs.
    pub(crate) fn new() -> Result<Self> {
        Self::on(Kind::of_this_run())
    }

    /// The same on a kind of database.
    pub(crate) fn on(kind: Kind) -> Result<Self> {
        let folder = TempDir::new()?;
        let database = kind.address(&folder.path().join("server"));
        Self::at(folder, database)
    }

    /// The same in a database.
    pub(crate) fn at(folder: TempDir, database: String) -> Result<Self> {
        let mut installation = Installation::at(folder.path().join("server"), database)?;
        installation.start()?;
        let city = city(1);
        let file = folder.path().join("areas.geojson");
        std::fs::write(&file, geojson::write(&city.areas))?;
        installation.must(&["areas", "import", &file.display().to_string(), "--apply"])?;
        Ok(Self { folder, installation, city })
    }

    /// The codes of grids, in order.
    pub(crate) fn grids(&self) -> Vec<String> {
        let grids = self.city.areas.areas.iter().filter(|area| area.level == Level::Grid);
        grids.map(|area| area.code.clone()).collect()
    }

    /// A place in the middle of a grid, as a person types it.
    pub(crate) fn place(&self, grid: &str) -> Result<String> {
        let area = self.city.areas.areas.iter().find(|area| area.code == grid).context("a grid")?;
        let ring = &area.boundary[0][0];
        let count = i64::try_from(ring.len())?;
        let (lon, lat) =
            ring.iter().fold((0, 0), |sum: (i64, i64), point| (sum.0 + i64::from(point.0), sum.1 + i64::from(point.1)));
        let degrees = |e7: i64| format!("{}.{:07}", e7 / 10_000_000, e7 % 10_000_000);
        Ok(format!("{},{}", degrees(lat / count), degrees(lon / count)))
    }

    /// Adds an account with a phone.
    pub(crate) fn phone(&self, login: &str, role: &str, more: &[&str]) -> Result<Phone> {
        self.phone_at(&self.installation.url(), login, role, more)
    }

    /// Adds an account with a phone that talks to a server of the installation.
    pub(crate) fn phone_at(&self, url: &str, login: &str, role: &str, more: &[&str]) -> Result<Phone> {
        let mut arguments = vec!["account", "add", login, "--name", login, "--role", role];
        arguments.extend(more);
        let added = self.installation.must(&arguments)?;
        let code = added["code"].as_str().with_context(|| format!("a code in {added}"))?;
        let phone = Phone { home: self.folder.path().join(login) };
        phone.must(&["enrol", "--server", url, "--code", code])?;
        Ok(phone)
    }
}

/// A drawn photo with EXIF time and place, different for every number.
pub(crate) fn draw(folder: &Path, number: u64) -> Result<PathBuf> {
    use pictures::drawing::{Scene, Shot};
    let scenes = [Scene::Stall, Scene::Shop, Scene::Barbecue, Scene::Dog, Scene::Shed];
    let scene = scenes[usize::try_from(number % 5)?];
    let shot = Shot { scene, fixed: false, place: number, shot: number };
    let position = schema::case::Position::at(374_600_000, 1_163_400_000);
    let picture = Picture { shot, taken_ms: 1_795_192_927_000 + number * 1000, position };
    let path = folder.join(format!("drawn-{number}.jpg"));
    std::fs::write(&path, picture.jpeg().context("a drawn photo")?)?;
    Ok(path)
}

/// A photograph that somebody took.
pub(crate) fn photograph(name: &str) -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    let path = root.join("target/photographs").join(name);
    anyhow::ensure!(path.is_file(), "{} is missing: cargo xtask test --only needs", path.display());
    Ok(path)
}

/// Syncs until nothing is left to send and the server has looked at every photo; each round asks the server anew.
pub(crate) fn settle(phone: &Phone) -> Result<Value> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(300) {
        phone.must(&["sync"])?;
        let status = phone.must(&["status"])?;
        let left = ["on_this_phone", "received", "photos_to_send", "photos_held"];
        if left.iter().all(|name| status[*name] == 0) {
            return Ok(status);
        }
    }
    anyhow::bail!("the phone does not come to rest: {}", phone.must(&["status"])?)
}
