import Checkpoints

/// Where a run's checkpoints go, when they are taken and which stay.
struct CheckpointSettings: Sendable {
    let store: CheckpointStore
    /// Steps between two; 0: none.
    let every: Int
    let retention: Retention

    init(_ configuration: RunConfiguration, run: String) {
        let section = configuration.checkpoint
        every = section.every
        store = CheckpointStore(section.directory.replacing("{run}", with: run))
        retention = Retention(keep: section.keep, everyKept: section.keepEvery * section.every)
    }

    var isOn: Bool { every > 0 }

    func isDue(_ step: Int) -> Bool { every > 0 && step % every == 0 }
}
