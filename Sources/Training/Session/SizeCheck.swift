import Figures
import Foundation
import Hardware
import Model
import Numerics
import Pipeline
import Schedules

/// Whether sizes can be at all: by arithmetic alone, before any layer, list of parameters, table or thread is made. It
/// counts the least that a run needs; `MemoryEstimate` knows all, once the run is laid out.
package struct SizeCheck {
    private let configuration: RunConfiguration
    /// The mean of all.
    private let layer: Block
    private let ends: [Block]

    /// A block's sizes in bytes, as numbers that can't overflow.
    private struct Block {
        let values: Double
        let packed: Double
        /// A token's row, where every token of a sequence is kept.
        let row: Double
        let stash: Double
        let workspace: Double

        /// A slice's sizes grow in a straight line with its length; two short ones are small enough to be counted.
        init(_ block: BlockDescription, _ model: any Architecture, _ matrices: MatrixEngine, slice: Int) {
            // Long enough that the padding of a token's few numbers doesn't count for much.
            let short = (16 + model.sliceMultiple - 1) / model.sliceMultiple * model.sliceMultiple
            let sizes = (1...2).map { block.sizes(for: SliceShape(length: $0 * short, matrices: matrices)) }
            let further = Double(slice) / Double(short) - 1
            func bytes(_ count: (BlockSizes) -> Int) -> Double {
                let (one, two) = (Double(count(sizes[0])), Double(count(sizes[1])))
                return 4 * (one + further * max(0, two - one))
            }
            stash = bytes(\.stash)
            workspace = bytes(\.workspace)
            packed = 4 * Double(sizes[0].packed)
            row = 4 * Double(sizes[0].prefix)
            values = 4 * block.parameters.filter { $0.copyOf == nil }.reduce(0) { $0 + Double($1.count) }
        }

        init(meanOf blocks: [Block]) {
            func mean(_ size: (Block) -> Double) -> Double {
                blocks.reduce(0) { $0 + size($1) } / Double(blocks.count)
            }
            values = mean(\.values)
            packed = mean(\.packed)
            row = mean(\.row)
            stash = mean(\.stash)
            workspace = blocks.map(\.workspace).max() ?? 0
        }
    }

    /// Refuses a model that can't be held here to write text with it.
    package static func forGenerating(_ configuration: RunConfiguration) throws {
        try SizeCheck(configuration).checkMemory(world: nil, trains: false)
    }

    /// - Parameter configuration: resolved
    package init(_ configuration: RunConfiguration) {
        self.configuration = configuration
        let model = configuration.resolvedModel
        let (slice, matrices) = (configuration.pipeline.slice, configuration.matrixEngine)
        func block(_ description: BlockDescription) -> Block { Block(description, model, matrices, slice: slice) }
        layer = Block(meanOf: model.layerKinds.map(block))
        ends = [block(model.describe(.embedding)), block(model.describe(.output))]
    }

    /// Actions of a step's table that are laid out in a few seconds and a few GiB.
    package static let mostActions = 1 << 24
    /// What no file system and no memory holds; numbers below it can be added and multiplied by small ones.
    private static let mostBytes = 0x1p56

    /// - Throws: `ConfigurationError` for a table of too many actions, and for sizes past all counting
    package func checkCounts() throws {
        let c = configuration
        let sequences = c.training.batch / c.pipeline.replicas
        let slices = c.data.sequence / c.pipeline.slice
        let stages = c.pipeline.stages.saturatingTimes(max(1, c.pipeline.virtual))
        let units = sequences.saturatingTimes(slices)
        // A forward and a backward of each unit at each stage.
        let actions = units.saturatingTimes(2 * stages)
        guard actions <= Self.mostActions else {
            var ways: [String] = []
            let most = Self.mostActions / (2 * stages)
            if slices > 1, let longer = longerSlice(units: most, sequences: sequences) {
                ways.append("longer slices (pipeline.slice = \(longer))")
            }
            if sequences > 1 {
                let fewer = max(1, most / slices) / c.pipeline.replicas * c.pipeline.replicas
                ways.append(
                    fewer > 0
                        ? "fewer sequences (training.batch = \(fewer) or less)" : "fewer sequences (training.batch)")
            }
            if stages > 1 { ways.append("fewer stages") }
            throw ConfigurationError(
                "a step would be a table of \(actions == .max ? "more than 2^62" : "\(actions)") actions = 2 x "
                    + "\(stages) stages x \(sequences) "
                    + "sequences x \(slices) slices, and at most \(Self.mostActions) are laid out. What helps: "
                    + ways.joined(separator: ", "))
        }
        try checkSizes()
    }

    /// For layouts that are yet to be found.
    package func checkPlanning() throws {
        let c = configuration
        guard c.training.batch.saturatingTimes(c.data.sequence) < 1 << 48 else {
            throw ConfigurationError(
                "a step of \(c.quote("training.batch")) times \(c.quote("data.sequence")) tokens is more than can be "
                    + "planned: at most 2^48 tokens")
        }
        try checkSizes()
    }

    private func checkSizes() throws {
        let c = configuration
        let all =
            Double(c.model.layers) * (layer.values * 4 + layer.stash) + ends.reduce(0) { $0 + 4 * $1.values + $1.stash }
            + layer.workspace + ends.reduce(0) { $0 + $1.workspace }
            + Double(c.model.layers) * layer.row * rows
        guard all < Self.mostBytes else {
            throw ConfigurationError(
                "the model of \(c.model.layers) layers and slices of \(c.pipeline.slice) tokens take "
                    + "\(all.asShortBytes): \(largest(c).joined(separator: ", "))")
        }
    }

    /// Rows of tokens that a replica holds at least: of one sequence and what it sees of the tokens before it, with
    /// their gradients; and what its streams keep of those from step to step.
    private var rows: Double {
        let (sequence, context) = (Double(configuration.data.sequence), Double(configuration.data.streamContext))
        let streams = Double(configuration.training.batch / configuration.pipeline.replicas)
        return 2 * (sequence + context) + 2 * streams * context
    }

    /// The shortest slice that gives few enough units.
    private func longerSlice(units: Int, sequences: Int) -> Int? {
        let c = configuration
        return RunConfiguration.divisors(of: c.data.sequence).first {
            $0 > c.pipeline.slice && $0 % c.model.sliceMultiple == 0
                && sequences.saturatingTimes(c.data.sequence / $0) <= units
        }
    }

    /// The sizes that are largest beside their defaults.
    private func largest(_ c: RunConfiguration) -> [String] {
        let names = c.keys.of(.model).filter { $0.kind == .integer }.map(\.qualifiedName)
        let defaults = c.defaults
        let excess = (names + ["pipeline.slice", "data.stream_context"]).map { name in
            (name, Double(c.integer(name)) / Double(max(256, defaults.integer(name))))
        }
        return excess.filter { $0.1 > 8 }.sorted { $0.1 > $1.1 }.prefix(3).map { "\(c.quote($0.0)) is much" }
    }

    /// Refuses threads that no machine of these cores runs, before anything is made for them; once the cores that may
    /// be used are known, `CoreAssignment` does so again.
    func checkThreads(world: Int?) throws {
        let ranks = world == nil ? configuration.pipeline.stages.saturatingTimes(configuration.pipeline.replicas) : 1
        try CoreAssignment.check(
            ranks: ranks, threads: configuration.machine.threads, cores: ProcessInfo.processInfo.activeProcessorCount)
    }

    /// - Parameters:
    ///   - world: ranks under a launcher; nil: all are in this process
    ///   - trains: gradients, moments and activations are kept
    ///   - limits: on memory
    /// - Throws: `ConfigurationError` where even the least is too much
    package func checkMemory(
        world: Int?, trains: Bool = true, limits: [MemoryLimit] = MemoryLimit.shared() + MemoryLimit.own
    ) throws {
        let c = configuration
        let replicas = Double(c.pipeline.replicas)
        // Of the rank that has most, or of all.
        let layers =
            world == nil
            ? Double(c.model.layers) * replicas : (Double(c.model.layers) / Double(c.pipeline.stages)).rounded(.up)
        let both = world == nil || c.pipeline.stages == 1
        let ends = both ? ends : []
        let copies = world == nil ? replicas : 1
        func sum(_ size: (Block) -> Double) -> Double {
            layers * size(layer) + copies * ends.reduce(0) { $0 + size($1) }
        }
        let values = sum(\.values)
        let moments = 2 * values / (c.pipeline.shardOptimizer ? replicas : 1)
        let ranks = world == nil ? Double(c.pipeline.stages) * replicas : 1
        let sequences = Double(c.training.batch) / replicas
        let saves = c.checkpoint.every > 0 || c.checkpoint.localEvery > 0
        var parts: [(name: String, bytes: Double)] = []
        if trains {
            parts = [
                ("parameters, gradients and moments", 2 * values + moments),
                ("activations of one slice", sum(\.stash) + ranks * layer.workspace),
                ("rows of all tokens", sum(\.row) * rows),
                ("a step's tokens", sequences * Double(c.data.sequence) * 8 * (replicas > 1 ? 2 + replicas : 2)),
                ("checkpoint copy", saves && world == nil ? (values + moments) / replicas : 0),
            ]
        } else {
            parts = [("parameters", values)]
        }
        parts.append(("packed weights", sum(\.packed)))
        let needed = parts.reduce(0) { $0 + $1.bytes }
        let tightest = limits.min { $0.bytes - ($0.taken ?? 0) < $1.bytes - ($1.taken ?? 0) }
        guard let limit = tightest, needed > Double(limit.bytes - (limit.taken ?? 0)) else { return }
        let list = parts.filter { $0.bytes > 0 }.sorted { $0.bytes > $1.bytes }.map {
            "\($0.name) \($0.bytes.asShortBytes)"
        }
        throw ConfigurationError(
            "this run needs at least \(needed.asShortBytes) \(world == nil ? "in this process" : "on a rank"), and "
                + "there are \(limit.text): \(list.joined(separator: ", ")). What helps: " + ways(parts, world))
    }

    /// By what takes most.
    private func ways(_ parts: [(name: String, bytes: Double)], _ world: Int?) -> String {
        let c = configuration
        switch parts.max(by: { $0.bytes < $1.bytes })?.name {
        case "activations of one slice":
            let multiple = type(of: c.model).sliceKey.map { ", a smaller model.\($0)" } ?? ""
            return "shorter slices (pipeline.slice)\(multiple), more ranks"
        case "rows of all tokens":
            let context = c.data.streamContext > 0 ? ", data.stream_context" : ""
            return "fewer or shorter sequences (training.batch, data.sequence\(context)), more ranks"
        case "a step's tokens": return "fewer or shorter sequences (training.batch, data.sequence)"
        default:
            let sharded =
                c.pipeline.shardOptimizer || world == nil ? "" : ", pipeline.shard_optimizer = true with more replicas"
            return "fewer or narrower layers (model.layers, model.dim, ...), more ranks on more nodes\(sharded)"
        }
    }
}

extension MemoryLimit {
    /// "23.5 GiB for it (the node's memory)"
    var text: String {
        guard let taken else { return "\(bytes.asShortBytes) for it (\(source))" }
        return "\(max(0, bytes - taken).asShortBytes) left for it of \(bytes.asShortBytes) (\(source))"
    }
}
