import Glibc
import Hardware
import Model
import Numerics

/// Names in files of training state, beside the parameters' own.
package enum StateName {
    package static func firstMoment(_ parameter: String) -> String { parameter + ".adam_m" }
    package static func secondMoment(_ parameter: String) -> String { parameter + ".adam_v" }
    /// `streams.5.layers.3.ema`
    package static func state(stream: Int, _ tensor: String) -> String { "streams.\(stream).\(tensor)" }
    /// int64: the cursor's position and numbers.
    package static func cursor(stream: Int) -> String { "streams.\(stream).cursor" }
    /// int32: the cursor's list, under the name that the architecture gives it.
    package static func list(_ name: String, stream: Int) -> String { "streams.\(stream).\(name)" }
}

/// Gives training state by name. Used from one thread; what it gives is read by several.
package protocol StateSource {
    /// Float32 elements in C order, as bytes that need not be aligned; throws when there is no such tensor of this
    /// shape.
    func withTensor(_ name: String, shape: [Int], _ body: (UnsafeRawBufferPointer) throws -> Void) throws
    /// - Parameter form: the architecture's
    func cursor(stream: Int, _ form: CursorForm) throws -> StreamCursor
}

/// Copies a rank's training state between two steps, and sets it.
final class StateCopies {
    private let plan: PipelinePlan
    private let team: Team
    private let replica: Int
    private let stages: [StageRuntime]
    private let update: ParameterUpdate

    init(_ rank: RankContext, _ stages: RankStages, _ update: ParameterUpdate) {
        plan = rank.plan
        team = rank.team
        replica = rank.replica
        self.stages = stages.all
        self.update = update
    }

    /// Floats that a worker copies at a time.
    private static let piece = 1 << 16
    /// Floats that must still be to be had beside a snapshot: it must not take what training itself will ask for.
    private static let reserve = 1 << 25

    /// Memory for `capture`, touched so that the first snapshot is as quick as the others; nil when the system refuses
    /// it.
    func makeSnapshot() -> RankSnapshot? {
        guard FloatBuffer(ifPossible: snapshotCount + Self.reserve) != nil else { return nil }
        var tensors: [RankSnapshot.Tensor] = []
        var stores: [[FloatBuffer]] = []
        for runtime in stages {
            let store = runtime.stage.store
            let (values, moments) = (plan.savesValues(replica), plan.savesMoments(replica))
            let counts = [
                values ? store.values.count : 0, moments ? store.firstMoments.count : 0,
                moments ? store.secondMoments.count : 0,
            ]
            let buffers = counts.compactMap { FloatBuffer(ifPossible: $0) }
            guard buffers.count == counts.count else { return nil }
            for buffer in buffers {
                team.forEach((buffer.count + Self.piece - 1) / Self.piece, inPlace: true) { i in
                    let first = i * Self.piece
                    (buffer.base + first).update(repeating: 0, count: min(Self.piece, buffer.count - first))
                }
            }
            stores.append(buffers)
            for e in store.entries where e.spec.copyOf == nil {
                func add(_ name: String, _ buffer: FloatBuffer, _ offset: Int?) {
                    guard buffer.count > 0, let offset else { return }
                    tensors.append(.init(name: name, shape: e.spec.shape, values: buffer.base + offset))
                }
                add(e.spec.name, buffers[0], e.offset)
                add(StateName.firstMoment(e.spec.name), buffers[1], e.momentOffset)
                add(StateName.secondMoment(e.spec.name), buffers[2], e.momentOffset)
            }
        }
        let snapshot = RankSnapshot(parameters: tensors, stores: stores, cursorForm: plan.cursor)
        if plan.streams {
            snapshot.stateMemory = FloatBuffer(
                ifPossible: stages.reduce(0) { $0 + $1.stage.stateCount + $1.carriedRowCount } * plan.sequences)
            guard snapshot.stateMemory != nil else { return nil }
        }
        return snapshot
    }

    /// Floats that a snapshot may take.
    private var snapshotCount: Int {
        stages.reduce(0) { sum, runtime in
            let store = runtime.stage.store
            let streams =
                plan.streams ? (runtime.stage.stateCount + runtime.carriedRowCount) * plan.sequences : 0
            return sum + store.values.count + store.firstMoments.count + store.secondMoments.count + streams
        }
    }

    /// Copies the state between two steps and lends it to its reader.
    func capture(_ snapshot: RankSnapshot) -> CaptureReport {
        snapshot.checkNotLent()
        let start = MonotonicClock.seconds
        var copies: [(to: UnsafeMutablePointer<Float>, from: UnsafePointer<Float>, count: Int)] = []
        func add(_ target: UnsafeMutablePointer<Float>, _ source: UnsafePointer<Float>, _ count: Int) {
            for first in stride(from: 0, to: count, by: Self.piece) {
                copies.append((target + first, source + first, min(Self.piece, count - first)))
            }
        }
        for (runtime, buffers) in zip(stages, snapshot.stores) {
            let store = runtime.stage.store
            for (target, source) in zip(buffers, [store.values, store.firstMoments, store.secondMoments]) {
                // Empty where another replica saves it.
                add(target.base, source.base, target.count)
            }
        }
        captureStreams(snapshot) { add($0, $1, $2) }
        team.forEach(copies.count) { i in copies[i].to.update(from: copies[i].from, count: copies[i].count) }
        snapshot.lend()
        let bytes = copies.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride
        return CaptureReport(bytes: bytes, seconds: MonotonicClock.seconds - start)
    }

    /// The measure of `capture`: each worker copies one stretch of each store by a single memcpy. The snapshot must not
    /// be lent. Nothing where the memory for it is refused.
    func copyPlainly(_ snapshot: RankSnapshot) -> CaptureReport {
        snapshot.checkNotLent()
        // A capture finds neither state nor copy in the caches: a step and the writer have been at work since the last
        // one.
        let copied = snapshot.stores.joined().reduce(0) { $0 + $1.count }
        let pieces = RankMemory.cacheFiller(copied) >> 18
        guard let other = FloatBuffer(ifPossible: pieces << 18) else { return CaptureReport(bytes: 0, seconds: 0) }
        team.forEach(pieces) { i in
            (other.base + (i << 18)).update(repeating: 1, count: 1 << 18)
        }
        let start = MonotonicClock.seconds
        var bytes = 0
        for (runtime, buffers) in zip(stages, snapshot.stores) {
            let store = runtime.stage.store
            for (target, source) in zip(buffers, [store.values, store.firstMoments, store.secondMoments]) {
                let (count, workers) = (target.count, team.count)
                team.run { w in
                    let range = count * w / workers..<count * (w + 1) / workers
                    memcpy(
                        target.base + range.lowerBound, source.base + range.lowerBound,
                        range.count * MemoryLayout<Float>.stride)
                }
                bytes += count * MemoryLayout<Float>.stride
            }
        }
        return CaptureReport(bytes: bytes, seconds: MonotonicClock.seconds - start)
    }

    private func captureStreams(
        _ snapshot: RankSnapshot, add: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
    ) {
        guard plan.streams, let memory = snapshot.stateMemory else { return }
        snapshot.states = []
        snapshot.cursors = []
        var next = memory.base
        for runtime in stages {
            for (sequence, cursor, state) in runtime.carriedStreams {
                let stream = replica * plan.sequences + sequence
                add(next, state, runtime.stage.stateCount)
                for tensor in runtime.stage.stateTensors {
                    snapshot.states.append(
                        .init(
                            name: StateName.state(stream: stream, tensor.name), shape: tensor.shape,
                            values: next + tensor.offset))
                }
                if runtime === stages[0] { snapshot.cursors.append((stream, cursor)) }
                next += runtime.stage.stateCount
                captureRows(runtime, sequence, cursor, snapshot, to: next, add: add)
                next += runtime.carriedRowCount
            }
        }
    }

    /// The rows of the tokens before a stream's next one.
    private func captureRows(
        _ runtime: StageRuntime, _ sequence: Int, _ cursor: StreamCursor, _ snapshot: RankSnapshot,
        to target: UnsafeMutablePointer<Float>, add: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
    ) {
        let tensors = runtime.rowTensors(at: cursor)
        if tensors.isEmpty { return }
        guard let rows = runtime.carriedRows(sequence) else {
            preconditionFailure("stream \(sequence) of stage \(runtime.number) has a position and no rows")
        }
        for tensor in tensors {
            add(target + tensor.offset, rows + tensor.offset, tensor.count)
            snapshot.states.append(
                .init(
                    name: StateName.state(stream: replica * plan.sequences + sequence, tensor.name),
                    shape: tensor.shape, values: target + tensor.offset))
        }
    }

    /// Sets parameters, the moments kept here and carried states of this rank's stages, whatever layout they were saved
    /// under.
    /// - Parameter streams: whether it holds carried states, where this run has them
    func restore(from source: any StateSource, optimizerStep: Int, streams: Bool) throws {
        update.resume(after: optimizerStep)
        for runtime in stages {
            let store = runtime.stage.store
            for e in store.entries {
                let name = e.spec.copyOf ?? e.spec.name
                try load(source, name, e.spec.shape, into: store.values.base + e.offset)
                guard let moments = store.moments(e) else { continue }
                try load(source, StateName.firstMoment(name), e.spec.shape, into: moments.first)
                try load(source, StateName.secondMoment(name), e.spec.shape, into: moments.second)
            }
            guard plan.streams, streams else { continue }
            for sequence in 0..<plan.sequences {
                let stream = replica * plan.sequences + sequence
                let cursor = try source.cursor(stream: stream, plan.cursor)
                try runtime.setCarried(sequence: sequence, cursor: cursor) { state, rows in
                    for (tensors, base) in [
                        (runtime.stage.stateTensors, state), (runtime.rowTensors(at: cursor), rows),
                    ] {
                        for tensor in tensors {
                            try load(
                                source, StateName.state(stream: stream, tensor.name), tensor.shape,
                                into: base + tensor.offset)
                        }
                    }
                }
            }
        }
    }

    private func load(
        _ source: any StateSource, _ name: String, _ shape: [Int], into target: UnsafeMutablePointer<Float>
    ) throws {
        try source.withTensor(name, shape: shape) { bytes in
            let piece = Self.piece * MemoryLayout<Float>.stride
            let target = UnsafeMutableRawPointer(target)
            guard let base = bytes.baseAddress else { return }
            team.forEach((bytes.count + piece - 1) / piece) { i in
                (target + i * piece).copyMemory(from: base + i * piece, byteCount: min(piece, bytes.count - i * piece))
            }
        }
    }
}
