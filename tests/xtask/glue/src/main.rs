//! `glue IN.wasm OUT/`: what wasm-bindgen's own command does, at the version that Cargo.lock pins.

use anyhow::{Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [compiled, folder] = arguments.as_slice() else { bail!("glue IN.wasm OUT/") };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(compiled).web(true)?.typescript(true).remove_name_section(true).remove_producers_section(true);
    bindgen.out_name("rules").generate(folder)
}
