//! Questions to the engine, beside the program.

use std::collections::HashMap;

use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveImageOptions,
};

/// By which what a run creates is found again.
const RUN_LABEL: &str = "proxyproof.run";

/// The engine, and a runtime to ask it with.
pub(crate) fn ask_engine<T>(question: impl AsyncFnOnce(Docker) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        question(testcontainers::core::client::docker_client_instance().await.expect("an engine")).await
    })
}

/// The containers and networks whose names begin like this, and the volumes of the same run.
pub(crate) fn in_the_engine(name: &str) -> Vec<String> {
    ask_engine(async |docker| {
        let filters = HashMap::from([("name".to_owned(), vec![name.to_owned()])]);
        let containers = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let networks = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let containers = docker.list_containers(Some(containers)).await.expect("containers");
        let networks = docker.list_networks(Some(networks)).await.expect("networks");
        let labelled = HashMap::from([("label".to_owned(), vec![RUN_LABEL.to_owned()])]);
        let volumes = ListVolumesOptionsBuilder::new().filters(&labelled).build();
        let volumes = docker.list_volumes(Some(volumes)).await.expect("volumes").volumes.unwrap_or_default();
        let run = name.trim_start_matches("proxyproof-");
        let volumes = volumes.into_iter().filter(|volume| volume.labels[RUN_LABEL].starts_with(run));
        let containers = containers.into_iter().flat_map(|container| container.names.unwrap_or_default());
        let networks = networks.into_iter().filter_map(|network| network.name);
        containers
            .map(|name| format!("container {}", name.trim_start_matches('/')))
            .chain(networks.map(|name| format!("network {name}")))
            .chain(volumes.map(|volume| format!("volume {}", volume.name)))
            .collect()
    })
}

/// The images without a tag that the program has made, in whichever run.
pub(crate) fn images_without_a_tag() -> Vec<String> {
    ask_engine(async |docker| {
        let filters = HashMap::from([("dangling".to_owned(), vec!["true".to_owned()])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let mut ours = Vec::new();
        for image in docker.list_images(Some(options)).await.expect("images") {
            // One that somebody removes meanwhile is not ours: nobody removes those.
            let history = docker.image_history(&image.id).await.unwrap_or_default();
            if history.iter().any(|layer| layer.created_by.contains("proxyproof")) {
                ours.push(format!("image {}", image.id));
            }
        }
        ours
    })
}

/// Removes the program's images with these words in their names, but for those that are used.
pub(crate) fn remove_images(words: &str) {
    ask_engine(async |docker| {
        let images = docker.list_images(Some(ListImagesOptionsBuilder::new().build())).await.expect("images");
        let tags = images.into_iter().flat_map(|image| image.repo_tags);
        for tag in tags.filter(|tag| tag.starts_with("proxyproof/") && tag.contains(words)) {
            let _ = docker.remove_image(&tag, None::<RemoveImageOptions>, None).await;
        }
    });
}
