//! States by their names, as a query has them.

use schema::case::State;
use sync_core::apply::state_number;

/// States by their names, separated by commas, as the numbers that are stored; none if one of them is no state.
pub fn states_named(names: Option<&str>) -> Option<Vec<u8>> {
    let Some(names) = names.filter(|names| !names.is_empty()) else { return Some(Vec::new()) };
    names
        .split(',')
        .map(|name| serde_json::from_value::<State>(serde_json::Value::String(name.to_owned())).ok().map(state_number))
        .collect()
}
