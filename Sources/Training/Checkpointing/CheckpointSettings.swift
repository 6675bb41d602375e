import Checkpoints
import Files

/// The two kinds of storage, the safer one first.
package enum CheckpointLevel: Int, Sendable, Comparable {
    /// Seen by all ranks: survives anything, costs most.
    case shared
    /// On each node, with each rank's files on a second node: survives the loss of a node.
    case local

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Where a run's checkpoints go, when they are taken and which stay.
struct CheckpointSettings: Sendable {
    let store: CheckpointStore
    /// Steps between two; 0: none.
    let every: Int
    let localEvery: Int
    let retention: Retention
    private let localDirectory: String
    /// A node keeps the one being written and the whole one before; with one more, nodes may differ by one step.
    let localRetention = Retention(keep: 2, everyKept: 0)

    /// The run's folder.
    private let run: String

    /// - Parameters:
    ///   - run: its folder
    ///   - owner: nil for who only looks
    init(_ configuration: RunConfiguration, run: String, owner: CheckpointOwner? = nil) {
        self.run = run
        let section = configuration.checkpoint
        every = section.every
        localEvery = section.localDirectory.isEmpty ? 0 : section.localEvery
        store = CheckpointStore(PathText.fill(section.directory, ["run": run]), owner: owner)
        localDirectory = section.localDirectory
        retention = Retention(keep: section.keep, everyKept: section.keepEvery * section.every)
    }

    var isOn: Bool { every > 0 || localEvery > 0 }

    func localStore(_ rank: Int) -> CheckpointStore {
        CheckpointStore(PathText.fill(localDirectory, ["run": run, "rank": "\(rank)"]), owner: store.owner)
    }

    func store(_ level: CheckpointLevel, _ rank: Int) -> CheckpointStore {
        level == .shared ? store : localStore(rank)
    }

    /// Makes a store's own folder, but never the run's folder again.
    func makeFolder(of store: CheckpointStore) throws {
        try Folder.make(store.directory, below: store.directory.hasPrefix(run + "/") ? run : nil)
    }

    /// The kind of checkpoint that is due after so many steps; one of both kinds is shared.
    func level(after step: Int) -> CheckpointLevel? {
        if every > 0, step % every == 0 { return .shared }
        return localEvery > 0 && step % localEvery == 0 ? .local : nil
    }

    /// The kinds that this run may write.
    var levels: [CheckpointLevel] {
        (every > 0 || localEvery == 0 ? [.shared] : []) + (localEvery > 0 ? [.local] : [])
    }

    /// For a last checkpoint, whenever it comes, even where checkpoints are off.
    var lastLevel: CheckpointLevel { every > 0 || localEvery == 0 ? .shared : .local }

    /// Where a rank has its part of that one.
    func lastStore(_ rank: Int) -> CheckpointStore { store(lastLevel, rank) }

    /// - Parameter nodes: of every world rank
    func buddies(nodes: [Int]) -> CheckpointBuddies {
        CheckpointBuddies(keys: nodes.enumerated().map { rank, node in "\(node) \(localStore(rank).directory)" })
    }
}
