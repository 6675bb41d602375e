import Checkpoints
import Files
import Foundation
import Pipeline
import Locks

/// Node-local checkpoints at a run's start: which step all nodes together still have whole, and how what a node has
/// lost comes back to it from the node that keeps a copy.
struct LocalCheckpoints {
    let settings: CheckpointSettings
    let group: RankGroup
    let buddies: CheckpointBuddies
    let configuration: RunConfiguration

    init(settings: CheckpointSettings, group: RankGroup, nodes: [Int], configuration: RunConfiguration) {
        self.configuration = configuration
        self.settings = settings
        self.group = group
        buddies = settings.buddies(nodes: nodes)
    }

    /// Steps whose manifest some node has, ascending; the same on all ranks.
    func steps() async throws -> [Int] {
        let settings = settings
        let told = try await group.gather { rank in
            ((try? settings.localStore(rank).manifests()) ?? []).map(\.step)
        }
        return Set(told.joined()).sorted()
    }

    /// Checks every file and copy of a step wherever it is, and brings each rank what it needs and hasn't.
    /// - Returns: nil (on all ranks) when a file is nowhere whole
    func gather(_ step: Int) async throws -> CheckpointFiles? {
        guard let manifest = try await manifest(step) else { return nil }
        let found = FoundFiles()
        let told = try await look(for: manifest, found)
        // Which ranks see each file whole on their node.
        let holders = manifest.files.indices.map { f in told.indices.filter { told[$0][f] } }
        if let lost = holders.firstIndex(where: \.isEmpty) {
            if group.isRoot {
                say(
                    """
                    warning: the node-local checkpoint of step \(step) cannot be used: \
                    \(manifest.files[lost].name) is whole on no node, neither itself nor its copy
                    """
                )
            }
            return nil
        }
        guard try await bring(manifest, holders, found) else { return nil }
        return CheckpointFiles(
            manifest: manifest, origin: "the nodes' local directories", path: { found[$0, $1.name] })
    }

    /// The manifest of a step as the first rank that has it reads it.
    private func manifest(_ step: Int) async throws -> Manifest? {
        let settings = settings
        let texts = try await group.gather { rank in (try? settings.localStore(rank).manifest(step))?.json }
        guard let text = texts.lazy.compactMap({ $0 }).first else { return nil }
        let name = "the node-local manifest of step \(step)"
        let manifest = try Manifest(Array(text.utf8), file: name)
        do {
            // A node may still hold what another run left.
            try Continuity(manifest, file: name, configuration.architectures).refuseAnotherRun(configuration)
            return manifest
        } catch {
            if group.isRoot { warn("the node-local checkpoint of step \(step) cannot be used: \(error)") }
            return nil
        }
    }

    /// Each rank looks for all files on its node; ranks of a node share the hashing of what they have in common.
    /// - Returns: by rank and file, whether the rank has it whole
    private func look(for manifest: Manifest, _ found: FoundFiles) async throws -> [[Bool]] {
        let (settings, buddies) = (settings, buddies)
        try await group.forEachRank { rank in
            let mates = buddies.nodeRanks(rank)
            for (f, file) in manifest.files.enumerated() where mates[f % mates.count] == rank {
                let path = settings.localStore(rank).find(file, step: manifest.step) { error in
                    warn("\(error); its copy on another node is taken if there is one", rank: rank)
                }
                // A node's directory is one: what one finds, all have.
                if let path { found[rank, file.name] = path }
            }
        }
        let told = try await group.gather { rank in manifest.files.map { found[rank, $0.name] != nil } }
        for rank in group.ranks {
            for mate in buddies.nodeRanks(rank) where mate != rank {
                for (f, file) in manifest.files.enumerated() where told[mate][f] {
                    let store = settings.localStore(rank)
                    found[rank, file.name] = store.existing(file, step: manifest.step)
                }
            }
        }
        return told
    }

    /// A file that goes from a rank that has it to one whose node hasn't.
    private struct Delivery {
        let file: Int
        let from: Int
        let to: Int
    }

    private func deliveries(_ manifest: Manifest, _ holders: [[Int]]) -> [Delivery] {
        buddies.nodes.flatMap { node in
            manifest.files.indices.compactMap { f -> Delivery? in
                guard !holders[f].contains(where: node.contains),
                    let reader = node.first(where: { needs($0, manifest.files[f], manifest.layout) })
                else { return nil }
                return Delivery(file: f, from: holders[f][0], to: reader)
            }
        }
    }

    /// Whether a rank reads something of a file: its own, and the parameters that the first replica has saved for all;
    /// moments that replicas had each for itself, if it is to have all now. Under another layout, and where two ranks
    /// share the embedding, any rank may need any file.
    private func needs(_ rank: Int, _ file: Manifest.File, _ layout: Manifest.Layout) -> Bool {
        let p = group.plan
        let isSameLayout =
            layout
            == .init(
                stages: p.lastStage + 1, replicas: p.replicas, schedule: p.table.name, layers: p.partition.counts)
        guard isSameLayout, !p.hasTies else { return true }
        if file.rank == rank || file.rank == rank % p.ranks { return true }
        return p.owners == nil && file.rank % p.ranks == rank % p.ranks && file.name == PartName.parameters(file.rank)
    }

    /// - Returns: whether all came whole, the same on all ranks
    private func bring(_ manifest: Manifest, _ holders: [[Int]], _ found: FoundFiles) async throws -> Bool {
        let deliveries = deliveries(manifest, holders)
        guard !deliveries.isEmpty else { return true }
        let step = manifest.step
        var transfers: [Int: [FileTransfer]] = [:]
        var arrivals: [(rank: Int, file: Manifest.File, bytes: ArrivalBuffer)] = []
        for delivery in deliveries {
            let file = manifest.files[delivery.file]
            if group.ranks.contains(delivery.from), let path = found[delivery.from, file.name] {
                transfers[delivery.from, default: []].append(.send(try MappedFile(path), to: delivery.to))
            }
            if group.ranks.contains(delivery.to) {
                let buffer = ArrivalBuffer(file.size)
                transfers[delivery.to, default: []].append(.receive(buffer, from: delivery.from))
                arrivals.append((delivery.to, file, buffer))
                say("rank \(delivery.to): \(file.name) of step \(step) comes back from rank \(delivery.from)'s node")
            }
        }
        let all = transfers
        try await group.startCopies { all[$0] ?? [] }
        try await group.waitForCopies()
        var isGood = true
        for (rank, file, buffer) in arrivals {
            let store = settings.localStore(rank)
            do {
                try store.restore(file, buffer.bytes, step: step)
                for mate in buddies.nodeRanks(rank) { found[mate, file.name] = "\(store.path(step))/\(file.name)" }
            } catch {
                isGood = false
                warn("cannot put \(file.name) of step \(step) back: \(error)", rank: rank)
            }
        }
        let verdict = isGood
        let told = try await group.gather { _ in verdict }
        // Housemates in other processes see what was put back only now.
        for rank in group.ranks {
            for delivery in deliveries where buddies.nodeRanks(rank).contains(delivery.to) {
                let file = manifest.files[delivery.file]
                found[rank, file.name] = settings.localStore(rank).existing(file, step: step)
            }
        }
        return told.allSatisfy { $0 }
    }
}

/// Paths by rank and file name, of the ranks in this process.
private final class FoundFiles: Sendable {
    private let paths = Lock<[Int: [String: String]]>([:])

    subscript(_ rank: Int, _ name: String) -> String? {
        get { paths.withLock { $0[rank]?[name] } }
        set { paths.withLock { $0[rank, default: [:]][name] = newValue } }
    }
}

extension MappedFile: FixedBytes {}
