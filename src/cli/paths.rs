//! Which scenarios are meant: files, folders that hold one, folders of many, standard input.
//!
//! Knows nothing of what stands in them.

use std::io;
use std::path::{Path, PathBuf};

use super::{Exit, warn};

/// The path that means standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// Folders are searched this deep.
const DEPTH_MAX: usize = 16;

/// Every scenario that is meant, in the order of the arguments, those of one folder sorted. A folder with
/// a `scenario.yaml` is one; of any other folder, all that lie below it.
pub(super) fn scenarios(asked: &[PathBuf]) -> Result<Vec<PathBuf>, Exit> {
    let mut found = Vec::new();
    for path in asked {
        if !path.is_dir() || path.join("scenario.yaml").exists() {
            found.push(path.clone());
            continue;
        }
        let before = found.len();
        below(path, 0, &mut found).map_err(|error| {
            warn(&format!("E0801 {} cannot be read: {error}\n", path.display()));
            Exit::Files
        })?;
        found[before..].sort_unstable();
        if found.len() == before {
            warn(&format!(
                "E0801 {} is a folder without a scenario.yaml, and none lies below it\n",
                path.display()
            ));
            return Err(Exit::Files);
        }
    }
    let standard = found.iter().filter(|path| path.as_os_str() == STANDARD_INPUT).count();
    if standard > 1 {
        warn("E0108 standard input can be read once only\n");
        return Err(Exit::WrongInput);
    }
    Ok(found)
}

/// Folders whose names begin with a dot are left out, and links are not followed: they may lead in a circle.
fn below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if hidden || !entry.file_type()?.is_dir() {
            continue;
        }
        let path = entry.path();
        if path.join("scenario.yaml").exists() {
            found.push(path);
        } else if depth < DEPTH_MAX {
            below(&path, depth + 1, found)?;
        }
    }
    Ok(())
}
