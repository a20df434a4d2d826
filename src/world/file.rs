//! What is put into the file systems of the Pod's programs.

/// Something that is put into a program's file system before it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PodFile {
    /// Its absolute path there.
    pub path: String,
    /// What is there.
    pub content: PodContent,
    /// Its permission bits.
    pub mode: u32,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PodContent {
    /// A file with these bytes.
    File(Vec<u8>),
    /// A directory.
    Directory,
    /// A symbolic link to this target.
    Link(String),
}

impl PodFile {
    /// A file.
    pub(crate) fn file(path: impl Into<String>, content: impl Into<Vec<u8>>, mode: u32) -> Self {
        Self { path: path.into(), content: PodContent::File(content.into()), mode }
    }

    /// A directory.
    pub(crate) fn directory(path: impl Into<String>, mode: u32) -> Self {
        Self { path: path.into(), content: PodContent::Directory, mode }
    }

    /// A symbolic link.
    pub(crate) fn link(path: impl Into<String>, target: impl Into<String>) -> Self {
        Self { path: path.into(), content: PodContent::Link(target.into()), mode: 0o777 }
    }
}
