import Model
import Schedules

/// How the gradients' way between replicas is cut, in bytes.
package struct SyncSizes: Sendable, Equatable {
    /// A bucket ends with the first block that fills it: large enough that every replica's part of it makes a few
    /// messages of a size that networks carry at full speed, small enough that the first one is on its way soon.
    package var bucket = 4 << 20
    /// The most that goes in one message.
    package var piece = 1 << 20

    package init() {}
}

/// In what pieces and order a rank's gradients are summed over the replicas, and by which of them.
///
/// *Buckets* are runs of a stage's blocks, in the order in which the rank's row completes their gradients; that is the
/// same on all replicas. Of each bucket every replica sums a *part*: an equal share of its floats, or the tensors that
/// it updates.
package struct SyncLayout: Sendable {
    /// Floats of a stage's store.
    package struct Stretch: Sendable, Equatable {
        package let stage: Int
        package let floats: Range<Int>
    }

    /// Complete when this block of the stage has its gradients, and with it those behind it.
    package struct Bucket: Sendable, Equatable {
        package let stage: Int
        package let block: Int
    }

    package private(set) var buckets: [Bucket] = []
    /// By replica: its part of all buckets, one after the other, in pieces.
    package private(set) var parts: [[Stretch]]
    /// By replica: how many pieces of its part lie in the first 0, 1, 2, ... buckets.
    package private(set) var ends: [[Int]]

    package init(_ plan: PipelinePlan, rank: Int) {
        parts = [[Stretch]](repeating: [], count: plan.replicas)
        ends = [[Int]](repeating: [0], count: plan.replicas)
        let piece = OrderedSum.pieceSize(members: plan.replicas, bytes: plan.sync.piece)
        for stage in Self.inOrderOfCompletion(plan.table, rank) {
            let blocks = plan.blocks(of: stage).map(\.parameters)
            let layout = ParameterLayout(blocks.flatMap { $0 })
            var tensors = layout.entries.count..<layout.entries.count
            for (block, specs) in blocks.enumerated().reversed() {
                tensors = tensors.lowerBound - specs.count..<tensors.upperBound
                let floats = layout.floats(of: tensors)
                guard block == 0 || floats.count * MemoryLayout<Float>.stride >= plan.sync.bucket else { continue }
                buckets.append(Bucket(stage: stage, block: block))
                let owners = plan.owners?[stage]
                for replica in parts.indices {
                    let ranges =
                        owners.map { layout.runs(in: tensors, of: replica, $0) }
                        ?? [floats.part(replica, of: plan.replicas)]
                    parts[replica] += ranges.flatMap { $0.pieces(of: piece) }.map { Stretch(stage: stage, floats: $0) }
                    ends[replica].append(parts[replica].count)
                }
                tensors = tensors.lowerBound..<tensors.lowerBound
            }
        }
    }

    /// Floats of the longest piece that a replica sums.
    func longestPiece(of replica: Int) -> Int { parts[replica].map(\.floats.count).max() ?? 0 }

    /// The rank's stages by their last weight gradient.
    private static func inOrderOfCompletion(_ table: ScheduleTable, _ rank: Int) -> [Int] {
        var stages: [Int] = []
        for action in table.rows[rank].reversed()
        where action.kind.givesWeightGradient && !stages.contains(action.stage) {
            stages.append(action.stage)
        }
        return stages.reversed()
    }
}

extension ParameterLayout {
    /// Where consecutive tensors lie, and what pads them.
    fileprivate func floats(of tensors: Range<Int>) -> Range<Int> {
        func start(_ tensor: Int) -> Int { tensor < entries.count ? entries[tensor].offset : count }
        return start(tensors.lowerBound)..<start(tensors.upperBound)
    }

    /// The stretches that those of the tensors make which belong to a replica.
    fileprivate func runs(in tensors: Range<Int>, of replica: Int, _ owners: [Int]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for tensor in tensors where owners[tensor] == replica {
            let floats = entries[tensor].offset..<entries[tensor].offset + entries[tensor].count
            if tensor > tensors.lowerBound, owners[tensor - 1] == replica, let last = runs.popLast() {
                runs.append(last.lowerBound..<floats.upperBound)
            } else {
                runs.append(floats)
            }
        }
        return runs
    }
}

extension Range<Int> {
    /// The `i`-th of `n` equal parts.
    func part(_ i: Int, of n: Int) -> Range<Int> { lowerBound + count * i / n..<lowerBound + count * (i + 1) / n }

    /// Cut into pieces of a length; the last may be shorter.
    func pieces(of length: Int) -> [Range<Int>] {
        stride(from: lowerBound, to: upperBound, by: length).map { $0..<Swift.min($0 + length, upperBound) }
    }
}
