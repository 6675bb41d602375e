import Checkpoints
import Files
import Foundation
import Hardware
import Pipeline

/// Writes one rank's part of each checkpoint on a thread of its own, from the rank's snapshot, while the rank trains
/// on. World rank 0's, or of node-local ones the first of each node, also commits.
actor CheckpointWriter {
    nonisolated let executor: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    nonisolated let desk: WriterProgress
    private let rank: Int
    private let settings: CheckpointSettings
    /// The stores' folders, by level, once they are there.
    private var folders: [CheckpointLevel: HeldFolder] = [:]
    /// Whether that has been told.
    private var hasLostMetrics = false

    /// - Throws: when the system refuses the thread
    init(rank: Int, desk: WriterProgress, settings: CheckpointSettings) throws {
        self.rank = rank
        self.desk = desk
        self.settings = settings
        executor = try ThreadExecutor(name: "gecko save \(rank)", policy: WaitPolicy(spin: 0, awake: 0))
        // What fails here is told when there is something to write.
        for level in settings.levels { folders[level] = try? Self.hold(settings, settings.store(level, rank)) }
    }

    /// A store's folder, made where it is missing.
    private static func hold(_ settings: CheckpointSettings, _ store: CheckpointStore) throws -> HeldFolder {
        try settings.makeFolder(of: store)
        return try HeldFolder(store.directory)
    }

    /// The store, if its folder still is the one of the run's beginning.
    private func checkedStore(_ level: CheckpointLevel) throws -> CheckpointStore {
        let store = store(level)
        if let folder = folders[level] {
            try folder.check()
        } else {
            folders[level] = try Self.hold(settings, store)
        }
        return store
    }

    private func cause(of error: any Error, _ level: CheckpointLevel) -> any Error {
        folders[level]?.cause(of: error) ?? error
    }

    /// Writes the snapshot's files, durably, and gives the snapshot back. A failure is told at once and to the other
    /// ranks at the next boundary.
    ///
    /// - Parameter snapshot: nil when the memory for it was refused
    func write(_ step: Int, _ level: CheckpointLevel, _ snapshot: RankSnapshot?) {
        defer { snapshot?.giveBack() }
        do {
            guard let snapshot else { throw CheckpointError.noMemory }
            for tensor in snapshot.parameters + snapshot.states {
                try Finite.check(tensor.bytes, of: tensor.name, in: "")
            }
            let store = try checkedStore(level)
            try store.begin(step)
            try reach(.partBegin, step, store.path(step))
            var files: [Manifest.File] = []
            if !snapshot.parameters.isEmpty {
                files.append(try file(PartName.parameters(rank), step, store, snapshot.parameters))
            }
            if !snapshot.states.isEmpty { files.append(try streamFile(step, store, snapshot)) }
            try reach(.partDurable, step, store.path(step))
            desk.wrote(step, files)
        } catch {
            Self.refuse(rank, step, cause(of: error, level), desk)
        }
    }

    /// A rank's part of a checkpoint cannot be written: that is told at once, and to the other ranks at the next
    /// boundary.
    static func refuse(_ rank: Int, _ step: Int, _ error: any Error, _ desk: WriterProgress) {
        warn("cannot write the checkpoint of step \(step): \(error). Training goes on without it", rank: rank)
        desk.failed(step)
    }

    /// Writes files of other nodes' ranks, as they came, beside this rank's own.
    func writeCopies(_ step: Int, _ copies: [(file: Manifest.File, bytes: ArrivalBuffer)]) {
        do {
            let store = try checkedStore(.local)
            for (file, buffer) in copies { try store.writeCopy(of: file, buffer.bytes, step: step) }
            desk.copied(step)
        } catch {
            warn(
                "cannot write copies for the checkpoint of step \(step): \(cause(of: error, .local)). Training goes on "
                    + "without it", rank: rank)
            desk.failed(step)
            desk.copied(step)
        }
    }

    /// Makes the checkpoint count, then removes what need not stay.
    func commit(_ manifest: Manifest, _ level: CheckpointLevel, flushing metrics: String?) {
        let store = store(level)
        do {
            _ = try checkedStore(level)
            if let metrics { flush(metrics) }
            try store.commit(manifest, holdsCopies: level == .local)
        } catch {
            warn(
                "the checkpoint of step \(manifest.step) cannot be committed: \(cause(of: error, level)). "
                    + "Training goes on without it")
            if (try? checkedStore(level)) != nil { try? store.abandon(manifest.step) }
            desk.committed(manifest.step, well: false)
            return
        }
        do {
            switch level {
            case .shared: try store.cleanUp(after: manifest.step, settings.retention)
            case .local: try store.cleanUpLocal(after: manifest.step, settings.localRetention)
            }
        } catch {
            warn("old checkpoints cannot be removed: \(error). The new one, of step \(manifest.step), is whole")
        }
        desk.committed(manifest.step, well: true)
    }

    /// Removes what there is of a checkpoint that some rank could not write.
    func abandon(_ step: Int, _ level: CheckpointLevel) {
        do {
            // What is in another place now is nothing of this run's.
            if let store = try? checkedStore(level) { try store.abandon(step) }
        } catch {
            warn("what was written of step \(step)'s checkpoint cannot be removed: \(error)")
        }
        desk.committed(step, well: false)
    }

    private func store(_ level: CheckpointLevel) -> CheckpointStore {
        settings.store(level, rank)
    }

    private func reach(_ point: FaultPoint, _ step: Int, _ path: String) throws {
        try Fault.reach(point, step: step, rank: rank, path: path)
    }

    private func file(
        _ name: String, _ step: Int, _ store: CheckpointStore, _ tensors: [RankSnapshot.Tensor],
        integers: [(declaration: SafetensorsWriter.Declaration, bytes: [UInt8])] = []
    ) throws -> Manifest.File {
        let path = "\(store.path(step))/\(name)"
        let writer = try SafetensorsWriter(
            path, integers.map(\.declaration) + tensors.map { .init($0.name, .float32, $0.shape) },
            metadata: ["format": "gecko.checkpoint", "step": "\(step)", "rank": "\(rank)"]
        ) { [rank] moment in
            let point: FaultPoint =
                switch moment {
                case .half: .partHalf
                case .written: .partWritten
                case .flushed: .partFlushed
                }
            try Fault.reach(point, step: step, rank: rank, path: path)
        }
        for (declaration, bytes) in integers { try bytes.withUnsafeBytes { try writer.write(declaration.name, $0) } }
        for tensor in tensors { try writer.write(tensor.name, tensor.bytes) }
        let (size, sha256) = try writer.finish()
        guard let sha256 else { preconditionFailure("\(name): tensors are written in the order of the file") }
        return Manifest.File(name: name, rank: rank, size: size, sha256: sha256)
    }

    /// Carried states, and before them where the streams stand: wider elements come first in the file.
    private func streamFile(
        _ step: Int, _ store: CheckpointStore, _ snapshot: RankSnapshot
    ) throws -> Manifest.File {
        let cursors = snapshot.cursors.map { stream, cursor in
            let fields = [cursor.position] + cursor.numbers
            return (
                declaration: SafetensorsWriter.Declaration(StateName.cursor(stream: stream), .int64, [fields.count]),
                bytes: fields.map(Int64.init).withUnsafeBytes { Array($0) }
            )
        }
        let lists = snapshot.cursors.compactMap { stream, cursor in
            snapshot.cursorForm.list.map { name in
                (
                    declaration: SafetensorsWriter.Declaration(
                        StateName.list(name, stream: stream), .int32, [cursor.list.count]),
                    bytes: cursor.list.withUnsafeBytes { Array($0) }
                )
            }
        }
        return try file(PartName.streams(rank), step, store, snapshot.states, integers: cursors + lists)
    }

    /// The steps that the checkpoint holds are on disk before it counts: after a crash of the machine none is missing
    /// from the metrics. That they are lost is no reason to lose the checkpoint, too.
    private func flush(_ path: String) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        var problem = descriptor < 0 ? FileError.system("open it", path) : nil
        if descriptor >= 0 {
            if fsync(descriptor) != 0 { problem = FileError.system("sync it", path) }
            close(descriptor)
        }
        if let problem, !hasLostMetrics {
            warn("\(problem). Checkpoints are made all the same; figures of some steps may be lost")
        }
        hasLostMetrics = problem != nil
    }
}

enum CheckpointError: Error, CustomStringConvertible {
    case noMemory
    case noThread

    var description: String {
        switch self {
        case .noMemory: "there is no memory for the copy of the state"
        case .noThread: "the system refuses a thread to write it (memory, `ulimit -u`)"
        }
    }
}

/// Names of a rank's files.
enum PartName {
    static func parameters(_ rank: Int) -> String { "rank-\(digits(rank)).safetensors" }
    static func streams(_ rank: Int) -> String { "streams-\(digits(rank)).safetensors" }

    private static func digits(_ rank: Int) -> String {
        let text = String(rank)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
    }
}
