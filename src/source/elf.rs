//! What an ELF file says that it needs: its loader, its libraries, and where it looks for them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use elf::ElfStream;
use elf::abi::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB, PT_INTERP, PT_LOAD};
use elf::endian::AnyEndian;
use elf::segment::ProgramHeader;

/// More than any real file has in its table of names.
const MOST_NAMES: u64 = 64 << 20;

/// What a program or a library needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// The processor, so that a library of another one is not taken.
    pub machine: u16,
    /// The loader; none for libraries and static programs.
    pub interpreter: Option<PathBuf>,
    /// Libraries by name.
    pub libraries: Vec<String>,
    /// Where they are looked for before the usual directories; `$ORIGIN` stands for the file's own directory.
    pub search: Vec<String>,
}

/// Reads them from the file's dynamic section, by way of the segments: a stripped file may have no sections.
pub(super) fn read(path: &Path) -> io::Result<Needs> {
    let file = File::open(path)?;
    let mut stream = ElfStream::<AnyEndian, _>::open_stream(file.try_clone()?).map_err(invalid)?;
    let segments = stream.segments().clone();
    let mut needs = Needs { machine: stream.ehdr.e_machine, ..Needs::default() };
    if let Some(segment) = segments.iter().find(|segment| segment.p_type == PT_INTERP) {
        let text = text_at(&bytes_at(&file, segment.p_offset, segment.p_filesz.min(4096))?, 0)?;
        needs.interpreter = Some(PathBuf::from(text));
    }
    let Some(dynamic) = stream.dynamic().map_err(invalid)? else {
        return Ok(needs);
    };
    let entries: Vec<(i64, u64)> = dynamic.iter().map(|entry| (entry.d_tag, entry.d_val())).collect();
    let names = names(&file, &segments, &entries)?;
    for (tag, value) in entries {
        match tag {
            DT_NEEDED => needs.libraries.push(text_at(&names, value)?),
            DT_RPATH | DT_RUNPATH => needs.search.extend(text_at(&names, value)?.split(':').map(str::to_owned)),
            _ => {}
        }
    }
    Ok(needs)
}

/// The table of names that the dynamic section refers to.
fn names(file: &File, segments: &[ProgramHeader], entries: &[(i64, u64)]) -> io::Result<Vec<u8>> {
    let value = |wanted| entries.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
    let (Some(address), Some(size)) = (value(DT_STRTAB), value(DT_STRSZ)) else {
        return Ok(Vec::new());
    };
    let segment = segments
        .iter()
        .filter(|segment| segment.p_type == PT_LOAD)
        .find(|segment| (segment.p_vaddr..segment.p_vaddr.saturating_add(segment.p_filesz)).contains(&address))
        .ok_or_else(|| invalid("its table of names is in no segment"))?;
    bytes_at(file, segment.p_offset + (address - segment.p_vaddr), size)
}

fn bytes_at(file: &File, offset: u64, size: u64) -> io::Result<Vec<u8>> {
    if size > MOST_NAMES {
        return Err(invalid("a table in it is too large"));
    }
    let mut bytes = vec![0; size as usize];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

fn text_at(bytes: &[u8], offset: u64) -> io::Result<String> {
    let tail = bytes.get(offset as usize..).ok_or_else(|| invalid("a name in it is out of bounds"))?;
    let text = tail.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8(text.to_vec()).map_err(invalid)
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_needs_the_c_library() {
        let needs = read(&std::env::current_exe().expect("this test")).expect("readable");
        assert!(needs.libraries.iter().any(|name| name.starts_with("libc.")), "{needs:?}");
        assert!(needs.interpreter.is_some());
    }

    #[test]
    fn text_is_no_program() {
        let error = read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))).expect_err("text");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
