//! The catalogue that travels inside the binary.

use include_dir::{Dir, include_dir};

use super::read::CatalogueFile;

static FOLDER: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/catalogue");

/// The files of the embedded catalogue.
#[must_use]
pub fn embedded() -> Vec<CatalogueFile> {
    let mut files = Vec::new();
    collect(&FOLDER, &mut files);
    files
}

fn collect(folder: &Dir<'_>, into: &mut Vec<CatalogueFile>) {
    for file in folder.files() {
        if let (Some(name), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
            into.push(CatalogueFile { name: name.into(), text: text.into() });
        }
    }
    for inner in folder.dirs() {
        collect(inner, into);
    }
}
