//! The device of the page. The page keeps rows, photos and the key in the browser's database and speaks HTTP; what is
//! right is decided here, by the rules that a phone has. Everything is called by name, with JSON in and out, so that the
//! same calls run natively in a test.

mod call;
mod making;
mod page;
mod reading;
mod sending;

use js_sys::{Function, Uint8Array};
use sync_core::device::entropy::{Entropy, NoEntropy};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

pub use page::Page;

/// Random bytes of the browser.
struct Random(Function);

impl Entropy for Random {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        let wanted = u32::try_from(bytes.len()).map_err(|error| NoEntropy(error.to_string()))?;
        let drawn = self.0.call1(&JsValue::NULL, &JsValue::from(wanted)).ok();
        let drawn = drawn.and_then(|drawn| drawn.dyn_into::<Uint8Array>().ok());
        match drawn {
            Some(drawn) if drawn.length() == wanted => {
                drawn.copy_to(bytes);
                Ok(())
            }
            _ => Err(NoEntropy("the browser drew none".to_owned())),
        }
    }
}

/// What the page calls.
#[wasm_bindgen]
pub struct Rules(Page);

#[wasm_bindgen]
impl Rules {
    /// An empty store. `random` gives as many random bytes as it is asked for.
    #[wasm_bindgen(constructor)]
    pub fn new(random: Function) -> Self {
        Self(Page::new(Box::new(Random(random))))
    }

    /// Takes in rows that were saved before: `[[table, row], …]`.
    ///
    /// # Errors
    /// A refusal as JSON.
    pub fn load(&mut self, rows: &str) -> Result<(), String> {
        self.0.load(rows)
    }

    /// What is to be saved before anything that was called is true: `[[table, key, row or null], …]`.
    ///
    /// # Errors
    /// A refusal as JSON.
    pub fn changes(&self) -> Result<String, String> {
        self.0.changes()
    }

    /// It was saved.
    pub fn saved(&mut self) {
        self.0.saved();
    }

    /// It could not be saved: nothing of it is true.
    pub fn undo(&mut self) {
        self.0.undo();
    }

    /// Does what `name` says with its arguments, a JSON list.
    ///
    /// # Errors
    /// A refusal as JSON: `{"code", "zh", "en"}`.
    pub fn call(&mut self, name: &str, arguments: &str) -> Result<String, String> {
        self.0.call(name, arguments)
    }
}
