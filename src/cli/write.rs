//! Files that are there whole or not at all.
//!
//! A file is written under a temporary name in its own folder and renamed at the end, so that a kill,
//! a full disk or a crash leaves the old file or none. Knows nothing of what is written.

use std::io::{self, Write};
use std::path::Path;

/// Writes a file atomically, making its folder where needed.
///
/// # Errors
/// Whatever the file system or `write` answers; the former file is untouched then.
pub(super) fn atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder)?;
    write(&mut file)?;
    file.as_file().sync_data()?;
    make_readable(file.path())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Finds out before a long run whether a folder can be written.
///
/// # Errors
/// Whatever the file system answers.
pub(super) fn try_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    tempfile::Builder::new().prefix(".trying-").tempfile_in(folder)?;
    Ok(())
}

/// Points `last`, beside a result folder, at it. Where links are not to be had it is left out: it is
/// a convenience, no result.
pub(super) fn point_last(folder: &Path) {
    let (Some(above), Some(name)) = (folder.parent(), folder.file_name()) else { return };
    if above.file_name().is_none_or(|above| above != "out") {
        return;
    }
    let link = above.join(format!(".last-{}", std::process::id()));
    #[cfg(unix)]
    if std::os::unix::fs::symlink(name, &link).is_ok() && std::fs::rename(&link, above.join("last")).is_err()
    {
        let _ = std::fs::remove_file(&link);
    }
}

/// Temporary files are private; results are for everybody the folder is for.
#[cfg(unix)]
fn make_readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &Path) -> io::Result<()> {
    Ok(())
}
