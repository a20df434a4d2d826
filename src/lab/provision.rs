//! Gets the images of a Pod: pulled, or loaded from what a source builds.

use std::path::Path;
use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::deployment::Modules;
use crate::error::Result;
use crate::report::Program as ReportedProgram;
use crate::runtime::docker::Engine;
use crate::runtime::{Bed, Run, RuntimeError, unfinished};
use crate::source::image::{Archive, image_id, image_tag};
use crate::source::{
    Build, Cache, Program, Progress, Recipe, Release, Root, Source, SourceError, auto_candidates, host, packages,
};

/// What a Pod's infrastructure container is where no packages are to be had: it has `sh`, `cat`, `ip` and
/// `setpriv` too.
const POD_IMAGE: &str = "busybox:stable";

/// What a program is started from, and what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Provided {
    pub(super) image: String,
    pub(super) program: ReportedProgram,
    /// The modules that it has as files and that nothing loads unasked. Of an image that was not built here none is
    /// known: what it loads, its configuration says.
    pub(super) modules: Vec<String>,
}

impl Provided {
    /// The program, as far as it is known.
    pub(crate) fn program(&self) -> &ReportedProgram {
        &self.program
    }

    /// What is in an image the program itself says, once it runs.
    pub(super) fn of_image(image: String, source: String) -> Self {
        Self { image, program: ReportedProgram::of_unknown_version(source), modules: Vec::new() }
    }
}

/// Gets images for one run.
#[derive(Clone)]
pub(super) struct Provider {
    pub(super) bed: Bed,
    pub(super) cache: Cache,
    pub(super) run: Arc<Run>,
    pub(super) progress: Arc<dyn Progress + Send + Sync>,
}

impl Provider {
    /// nginx from the source that the user named, with the modules that the deployment needs where it is built of
    /// packages.
    pub(super) async fn nginx(&self, source: &Source, modules: &Modules) -> Result<Provided> {
        let build = Build::from(Program::Nginx).with(modules.packages());
        match source {
            Source::Auto if !modules.suit_official_image() => {
                let mut candidates = auto_candidates(Program::Nginx);
                candidates.sort_by_key(|candidate| !matches!(candidate, Source::Packages(_)));
                self.automatic(Program::Nginx, &build, candidates).await
            }
            source => self.program(Program::Nginx, &build, source).await,
        }
    }

    /// Prometheus from the source that the user named.
    pub(super) async fn prometheus(&self, source: &Source) -> Result<Provided> {
        self.program(Program::Prometheus, &Program::Prometheus.into(), source).await
    }

    async fn program(&self, program: Program, build: &Build, source: &Source) -> Result<Provided> {
        match source {
            Source::Docker(image) => self.image(image, Some(program)).await,
            Source::Archive(file) => self.archive(file, program).await,
            Source::Packages(release) => self.packages(release.clone(), build.clone()).await,
            Source::Path(file) => {
                let file = file.clone();
                let built = self.build(move |cache, progress| host::build(&file, program, cache, progress));
                self.loaded(built.await?, program.into()).await
            }
            Source::Auto => self.automatic(program, build, auto_candidates(program)).await,
        }
    }

    /// The image of the Pod's infrastructure: packages of a release that is read anyway, else of the first that is to
    /// be had where the user names none, or where there are none a small image.
    pub(super) async fn infrastructure(&self, sources: [&Source; 2]) -> Result<String> {
        let named = sources.into_iter().find_map(|source| match source {
            Source::Packages(release) => Some(release.clone()),
            _ => None,
        });
        match self.infrastructure_of(named.map_or_else(Release::usual, |release| vec![release])).await {
            Ok(provided) => Ok(provided.image),
            // In the sandbox it is the stubs alone, which need more than that.
            Err(no_packages) if self.bed.engine().is_none() => Err(no_packages),
            Err(no_packages) => match self.image(POD_IMAGE, None).await {
                Ok(image) => Ok(image.image),
                Err(_) => Err(no_packages),
            },
        }
    }

    /// That of the first of some releases whose packages are to be had, else what the last one said: the machine's own.
    async fn infrastructure_of(&self, releases: Vec<Release>) -> Result<Provided> {
        let (last, others) = releases.split_last().expect("there is a usual one");
        for release in others {
            if let Ok(provided) = self.packages(release.clone(), Recipe::Pod.into()).await {
                return Ok(provided);
            }
        }
        self.packages(last.clone(), Recipe::Pod.into()).await
    }

    /// An image by its reference; in the sandbox its files, among which the program has to be.
    async fn image(&self, image: &str, program: Option<Program>) -> Result<Provided> {
        let Some(engine) = self.bed.engine() else { return self.layers(image, program).await };
        self.progress.step(&format!("getting the image {image}"));
        engine.pull(image).await?;
        Ok(Provided::of_image(image.to_owned(), format!("docker:{image}")))
    }

    async fn packages(&self, release: Release, build: Build) -> Result<Provided> {
        let arch = self.bed.arch()?;
        let recipe = build.recipe();
        let root = self.build(move |cache, progress| packages::build(&release, &build, arch, cache, progress));
        self.loaded(root.await?, recipe).await
    }

    /// The first of these sources that is to be had. A pull that failed is not tried again for a day.
    async fn automatic(&self, program: Program, build: &Build, candidates: Vec<Source>) -> Result<Provided> {
        let mut reasons = Vec::new();
        for source in candidates {
            let engine = self.bed.engine();
            let key = format!("auto {source} {}", engine.map_or("", |engine| engine.host.as_str()));
            if engine.is_none()
                && let Source::Docker(image) = &source
                && !self.is_in_an_engine(image).await
            {
                reasons.push(format!("{source}: no Docker engine has it here"));
                continue;
            }
            if let Source::Docker(image) = &source
                && let Some(reason) = self.cache.remembered(&key)
                && let Some(engine) = engine
                && engine.image_id(image).await?.is_none()
            {
                reasons.push(format!("{source}: {reason}"));
                continue;
            }
            match Box::pin(self.program(program, build, &source)).await {
                Ok(provided) => return Ok(provided),
                Err(error) => {
                    if matches!(source, Source::Docker(_)) && engine.is_some() {
                        self.cache.remember(&key, &error.to_string())?;
                    }
                    reasons.push(format!("{source}: {error}"));
                }
            }
        }
        Err(SourceError::NothingForAuto { program: program.name(), reasons: reasons.join("\n  ") }.into())
    }

    pub(super) async fn build<T: Send + 'static>(
        &self,
        build: impl FnOnce(&Cache, &dyn Progress) -> std::result::Result<T, SourceError> + Send + 'static,
    ) -> Result<T> {
        let (cache, run, progress) = (self.cache.clone(), Arc::clone(&self.run), Arc::clone(&self.progress));
        let built = spawn_blocking(move || build(&cache, &Guarded { run: &run, progress: &*progress })).await;
        Ok(built.map_err(unfinished)??)
    }

    /// Has the engine load the image of a root, unless it has it. The sandbox takes the root as it is.
    async fn loaded(&self, root: Root, recipe: Recipe) -> Result<Provided> {
        let modules = root.modules();
        let program =
            ReportedProgram { version: root.manifest().version.clone(), source: root.manifest().source.clone() };
        for note in &root.manifest().notes {
            self.progress.step(note);
        }
        let image = match self.bed.engine() {
            Some(engine) => self.in_engine(engine, root, recipe).await?,
            None => root.path().display().to_string(),
        };
        Ok(Provided { image, program, modules })
    }

    async fn in_engine(&self, engine: &Engine, root: Root, recipe: Recipe) -> Result<String> {
        let image = image_tag(&root, recipe);
        if engine.image_id(&image).await?.as_deref() != Some(image_id(&root)) {
            self.progress.step(&format!("loading {image}"));
            let archive = move |out: &mut dyn std::io::Write| Archive::new(&root).write_to(out);
            engine.load(archive).await?;
        }
        Ok(image)
    }
}

/// Tells the run's janitor of each directory that a build creates.
struct Guarded<'a> {
    run: &'a Run,
    progress: &'a dyn Progress,
}

impl Progress for Guarded<'_> {
    fn step(&self, message: &str) {
        self.progress.step(message);
    }

    fn creating(&self, directory: &Path) {
        // Without its janitor the run can't go on: the next request to it fails and says so.
        let _: std::result::Result<(), RuntimeError> = self.run.guard_directory(directory);
    }
}
