import Model
import Numerics

/// The rows that a stage's blocks keep of every token of the sequences under way, and their gradients. With streams
/// also the rows of the last tokens before a sequence, as values only: nothing goes back into a step that is done.
///
/// A sequence's buffer has the rows before it, then its own; the rows of a block lie together [rows, width].
final class SequenceRows {
    private let stage: Stage
    /// Most rows before a sequence, and its own.
    private let context, length: Int
    private let sequences, tails: BufferPool
    private var held: [Int: Sequence] = [:]
    /// Streams: the rows before each sequence's next token, the oldest first.
    private var carried: [Int: FloatBuffer] = [:]
    /// What takes their place if the step counts.
    private var left: [Int: FloatBuffer] = [:]

    private struct Sequence {
        let values: FloatBuffer
        var gradients: FloatBuffer?
        /// Rows before its own.
        let before: Int
    }

    init(_ stage: Stage, _ plan: PipelinePlan) {
        self.stage = stage
        context = plan.streamContext
        length = plan.sequence
        sequences = BufferPool(stage.prefixWidth * (plan.streamContext + plan.sequence))
        tails = BufferPool(stage.prefixWidth * plan.streamContext)
    }

    private var rows: Int { context + length }
    /// Floats of the rows before a sequence.
    var carriedCount: Int { stage.prefixWidth * context }
    /// Whether no sequence is under way.
    var isEmpty: Bool { held.isEmpty }

    /// Copies rows of all blocks between buffers for so many rows.
    private func copy(
        _ count: Int, of source: (buffer: FloatBuffer, rows: Int), from first: Int,
        to target: (buffer: FloatBuffer, rows: Int)
    ) {
        for i in stage.blocks.indices {
            let (offset, width) = (stage.prefixOffset(of: i), stage.prefixWidth(of: i))
            (target.buffer.base + offset * target.rows).update(
                from: source.buffer.base + offset * source.rows + first * width, count: count * width)
        }
    }

    /// Before a sequence's first forward.
    ///
    /// - Parameter before: rows of tokens before it that it goes on from
    func begin(_ sequence: Int, before: Int) {
        guard stage.prefixWidth > 0 else { return }
        let values = sequences.take()
        if before > 0 {
            guard let tail = carried[sequence] else {
                preconditionFailure("sequence \(sequence) goes on from \(before) rows that nobody carried")
            }
            copy(before, of: (tail, context), from: 0, to: (values, rows))
        }
        held[sequence] = Sequence(values: values, gradients: nil, before: before)
    }

    /// The rows for a slice; nil where no block keeps any.
    ///
    /// - Parameter start: the slice's first token, counted from the sequence's
    func prefix(_ sequence: Int, start: Int) -> Stage.Prefix? {
        held[sequence].map {
            Stage.Prefix(
                values: $0.values.base, gradients: $0.gradients?.base, tokens: rows, first: $0.before + start)
        }
    }

    /// Before the backward of a sequence's last slice.
    func beginGradients(_ sequence: Int) {
        guard stage.prefixWidth > 0 else { return }
        let fresh = sequences.take()
        fresh.clear()
        held[sequence]?.gradients = fresh
    }

    /// After a sequence's last forward: its last rows are what its stream goes on from.
    func leave(_ sequence: Int) {
        guard carriedCount > 0, let own = held[sequence] else { return }
        let tail = left[sequence] ?? tails.take()
        left[sequence] = tail
        let all = own.before + length
        let kept = min(context, all)
        copy(kept, of: (own.values, rows), from: all - kept, to: (tail, context))
    }

    /// After a sequence's last backward.
    func end(_ sequence: Int) {
        guard let own = held.removeValue(forKey: sequence) else { return }
        sequences.giveBack(own.values)
        if let gradients = own.gradients { sequences.giveBack(gradients) }
    }

    /// At a step's end: on with the new rows, or with the old ones where the step is skipped.
    func settle(skipped: Bool) {
        for (sequence, tail) in left {
            guard !skipped else {
                tails.giveBack(tail)
                continue
            }
            if let old = carried.updateValue(tail, forKey: sequence) { tails.giveBack(old) }
        }
        left.removeAll(keepingCapacity: true)
    }

    func carriedRows(_ sequence: Int) -> UnsafePointer<Float>? {
        carriedCount > 0 ? carried[sequence].map { UnsafePointer($0.base) } : nil
    }

    /// Where to put the rows that a sequence goes on from.
    func setCarried(_ sequence: Int) -> UnsafeMutablePointer<Float> {
        let tail = carried[sequence] ?? tails.take()
        carried[sequence] = tail
        return tail.base
    }
}
