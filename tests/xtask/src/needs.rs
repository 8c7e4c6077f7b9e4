//! What the tests need on a bare machine, by the ordinary clients of the registries.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::parts::program;

const CARGO_DENY: &str = "0.20.2";
const CALENDAR: &str = "chinesecalendar==1.11.0";
const S3_SERVER: [&str; 3] = ["moto[s3]==5.2.1", "flask==3.1.2", "flask-cors==6.0.1"];
const PHOTOGRAPHS: &str = "scikit-image==0.26.0";

/// Photographs that people took, free of rights, out of the Python package that ships them.
const TAKEN_BY_PEOPLE: [&str; 8] = [
    "astronaut.png",
    "brick.png",
    "chelsea.png",
    "coffee.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "rocket.jpg",
];

/// A C compiler, for SQLite, libpq and the crypto library; Python, for the photographs; Node, for a tus client that others
/// wrote, and for the page; Chromium, in which the page is tested; PostgreSQL, which the tests start themselves.
pub(crate) fn packages() -> Result<()> {
    let mut missing = Vec::new();
    let programs = [
        ("cc", "build-essential"),
        ("python3", "python3"),
        ("pip3", "python3-pip"),
        ("node", "nodejs"),
        ("npm", "npm"),
    ];
    for (program, package) in programs {
        if !is_there(program) {
            missing.push(package);
        }
    }
    if !is_there("chromium") && !is_there("chromium-browser") && !is_there("google-chrome") {
        missing.push("chromium");
    }
    // It moves the clock of a server that is tested.
    if !is_there("faketime") {
        missing.push("faketime");
    }
    // Debian keeps the server's programs off the path.
    let on_debian = std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|mut versions| {
        versions.any(|version| version.is_ok_and(|version| version.path().join("bin/initdb").is_file()))
    });
    if !on_debian && !is_there("initdb") {
        missing.push("postgresql");
    }
    if missing.is_empty() {
        return Ok(());
    }
    if !is_there("apt-get") {
        bail!("install these first: {}", missing.join(", "));
    }
    program("apt-get", &["update", "-q"])?;
    let mut arguments = vec!["install", "-q", "-y", "--no-install-recommends"];
    arguments.extend(missing);
    program("apt-get", &arguments)
}

fn is_there(name: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

/// `cargo deny`, built once into the user's cargo folder.
pub(crate) fn cargo_deny() -> Result<()> {
    let there = Command::new("cargo").args(["deny", "--version"]).output().is_ok_and(|output| output.status.success());
    if there { Ok(()) } else { crate::parts::cargo(&["install", "--locked", "cargo-deny", "--version", CARGO_DENY]) }
}

/// The national calendar as others keep it, to compare ours with.
pub(crate) fn calendar() -> Result<()> {
    let arguments = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", "target/wheels", CALENDAR];
    program("python3", &arguments)
}

/// The packages of the tus client, exactly those of its lock file.
pub(crate) fn tus_client() -> Result<()> {
    program("npm", &["ci", "--silent", "--no-fund", "--no-audit", "--prefix", "tests/tus"])
}

/// An S3 server that others wrote, into `target/moto`.
pub(crate) fn s3_server() -> Result<()> {
    let folder = Path::new("target/moto");
    if folder.join("moto").is_dir() {
        return Ok(());
    }
    let mut arguments = vec!["-m", "pip", "install", "--quiet", "--target", "target/moto"];
    arguments.extend(S3_SERVER);
    program("python3", &arguments)
}

/// Puts the photographs into `target/photographs`.
pub(crate) fn photographs() -> Result<()> {
    let folder = Path::new("target/photographs");
    if TAKEN_BY_PEOPLE.iter().all(|name| folder.join(name).is_file()) {
        return Ok(());
    }
    let wheels = "target/wheels";
    std::fs::create_dir_all(folder).context("target/photographs")?;
    program("python3", &["-m", "pip", "download", "--quiet", "--no-deps", "--dest", wheels, PHOTOGRAPHS])?;
    let unpack = "import glob, sys, zipfile\n\
        wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/scikit_image-*.whl')[0])\n\
        for name in sys.argv[3:]:\n    open(sys.argv[2] + '/' + name, 'wb').write(wheel.read('skimage/data/' + name))\n";
    let mut arguments = vec!["-c", unpack, wheels, "target/photographs"];
    arguments.extend(TAKEN_BY_PEOPLE);
    program("python3", &arguments)
}
