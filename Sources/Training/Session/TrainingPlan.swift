import Corpora
import Files
import Foundation
import Model
import Pipeline
import Schedules
import Simulation

/// Everything a run needs to know before it starts: resolved configuration, corpus, and the pipeline's plan. Making it
/// checks all that can be checked without work.
package struct TrainingPlan: Sendable {
    package let configuration: RunConfiguration
    package let corpus: Corpus
    package let sampler: SequenceSampler
    /// Nil when nothing is held out.
    package let heldOut: HeldOutWindows?
    package let pipeline: PipelinePlan
    /// What is known of the corpus beside its length.
    let text = RunText()

    /// - Parameter configuration: validated.
    package init(_ configuration: RunConfiguration) throws {
        let data = configuration.data
        let pipeline = try Self.pipeline(configuration)
        let corpus = try Corpus.load(
            path: data.path, heldOut: data.heldOut, packed: data.packed, separator: data.separator,
            leavingOut: CorpusExclusions(configuration))
        do {
            try self.init(configuration, corpus: corpus, pipeline: pipeline)
        } catch let error as CorpusError {
            guard let longest = error.longestSequence else { throw error }
            throw error.adding(SequenceAdvice(configuration, corpus, longest: longest).text)
        }
    }

    /// For a corpus that is there already.
    init(_ configuration: RunConfiguration, corpus: Corpus) throws {
        try self.init(configuration, corpus: corpus, pipeline: try Self.pipeline(configuration))
    }

    private static func pipeline(_ configuration: RunConfiguration) throws -> PipelinePlan {
        try configuration.checkArithmetic()
        return try PipelinePlan(configuration)
    }

    private init(_ configuration: RunConfiguration, corpus: Corpus, pipeline: PipelinePlan) throws {
        self.configuration = configuration
        self.corpus = corpus
        self.pipeline = pipeline
        let data = configuration.data
        sampler = try SequenceSampler(
            corpus: corpus, sequence: data.sequence, batch: configuration.training.batch,
            seed: UInt64(configuration.training.seed), streams: data.streams)
        heldOut =
            data.heldOut > 0
            ? try HeldOutWindows(
                corpus: corpus, sequence: data.sequence, limit: configuration.training.evaluateSequences,
                regions: data.streams ? configuration.training.batch : 1) : nil
    }

    /// Tokens of a step over all replicas.
    package var tokensPerStep: Int { configuration.training.batch * configuration.data.sequence }
}

extension PipelinePlan {
    /// The plan of a validated configuration.
    package init(_ c: RunConfiguration) throws {
        try SizeCheck(c).checkCounts()
        let model = c.resolvedModel
        var table = try Self.table(c)
        if c.pipeline.recompute { table = table.withRecompute() }
        let stages = table.shape.stages
        guard stages <= model.layers else {
            throw ConfigurationError([
                "schedule '\(c.pipeline.schedule)' cuts the model in \(stages) stages, but model.layers = "
                    + "\(model.layers): set model.layers to at least \(stages), or use fewer ranks or another schedule"
            ])
        }
        try self.init(
            model: model, table: table, partition: try Self.partition(c, model, stages: stages),
            cut: Self.cut(c, model), replicas: c.pipeline.replicas, streams: c.data.streams,
            streamContext: c.data.streamContext,
            stashDirectory: c.pipeline.stash == .disk ? StashPlace.directory(c.pipeline.stashDirectory) : nil,
            shardsOptimizer: c.pipeline.shardOptimizer)
        wire = c.pipeline.compressMessages ? .bfloat16 : .float32
        matrices = c.matrixEngine
    }

    private static func cut(_ c: RunConfiguration, _ model: any Architecture) -> SliceCut {
        let count = c.data.sequence / c.pipeline.slice
        switch c.pipeline.slices {
        case .equal: return SliceCut(slice: c.pipeline.slice, count: count)
        case .balanced:
            return .balanced(
                sequence: c.data.sequence, count: count, layers: model.layerKinds, multiple: model.sliceMultiple,
                before: c.data.streamContext)
        }
    }

    private static func table(_ c: RunConfiguration) throws -> ScheduleTable {
        let sequences = c.training.batch / c.pipeline.replicas
        let slices = c.data.sequence / c.pipeline.slice
        let name = c.pipeline.schedule
        if ScheduleChoice.names.contains(name) {
            do {
                var costs = try costs(c)
                // The engine keeps a unit whole until its weight gradient, whatever a file without bytes would say.
                for stage in costs.stages.indices { costs.stages[stage].weightShare = 1 }
                return try ScheduleChoice(
                    named: name,
                    ScheduleChoice.Request(
                        schedule: ScheduleRequest(
                            ranks: c.pipeline.stages, virtualStages: c.pipeline.virtual == 0 ? nil : c.pipeline.virtual,
                            sequences: sequences, slices: slices),
                        costs: costs,
                        network: costs.link.map { Network(withinNode: $0, betweenNodes: $0) } ?? Network(),
                        cap: c.pipeline.cap.isEmpty ? nil : try MemoryCap(text: c.pipeline.cap))
                ).simulation.table
            } catch {
                throw ConfigurationError(["pipeline.schedule = \"\(name)\": \(error)"])
            }
        }
        // Not a name: the path of a table in its text form.
        let text: String
        do {
            text = try TextFile.read(name, expected: "a schedule file, such as gecko simulate --save writes")
        } catch let error as FileError {
            let names = ScheduleChoice.names
            let near = SimilarNames.nearest(to: PlainText.meant(by: name).lowercased(), among: names)
            throw ConfigurationError([
                "pipeline.schedule = \(Shown.found(name)) is neither a schedule (\(names.joined(separator: ", "))) nor "
                    + "a readable file with one (\(error.reason))\(SimilarNames.question(near))"
            ])
        }
        let table: ScheduleTable
        do { table = try ScheduleTable(text: text) } catch {
            throw ConfigurationError(["\(Shown.escaped(name)): \(error)"])
        }
        let shape = table.shape
        guard shape.ranks == c.pipeline.stages, shape.sequences == sequences, shape.slices == slices else {
            throw ConfigurationError([
                "the schedule \(name) is for \(shape.ranks) ranks, \(shape.sequences) sequences and \(shape.slices) "
                    + "slices, but this run has "
                    + "\(c.pipeline.stages) (pipeline.stages), \(sequences) (training.batch / pipeline.replicas) and "
                    + "\(slices) (data.sequence / pipeline.slice): change one or the other"
            ])
        }
        return table
    }

    /// What schedules that search or keep a cap in bytes go by: measured costs, or without them equal ones.
    private static func costs(_ c: RunConfiguration) throws -> CostFile {
        let path = c.pipeline.costs
        guard !path.isEmpty else {
            return CostFile(stages: [StageCosts(forward: 1e-3, backwardInput: 1e-3, backwardWeight: 1e-3)])
        }
        do {
            return try CostFile(json: TextFile.read(path, expected: "a costs.json, such as a run leaves"))
        } catch let error as SimulationError {
            throw ConfigurationError(["pipeline.costs = \(Shown.found(path)): \(error)"])
        } catch let error as FileError {
            throw ConfigurationError([
                """
                pipeline.costs = \(Shown.found(path)) cannot be read: \(error.reason). Give a costs.json, such as \
                a run leaves
                """
            ])
        }
    }

    private static func partition(
        _ c: RunConfiguration, _ model: any Architecture, stages: Int
    ) throws -> LayerPartition {
        switch c.pipeline.layers {
        case .even:
            return .even(layers: model.layers, stages: stages)
        case .balanced:
            func flops(_ block: BlockDescription) -> Double {
                block.meanForwardFlops(sequence: c.data.sequence, before: c.data.streamContext)
            }
            let layers = model.layerKinds.map(flops)
            return .balanced(
                layers: model.layers, stages: stages, layer: layers.reduce(0, +) / Double(layers.count),
                embedding: flops(model.describe(.embedding)),
                output: flops(model.describe(.output)))
        case .explicit(let counts):
            guard counts.count == stages else {
                throw ConfigurationError([
                    "pipeline.layers lists \(counts.count) stages, but schedule '\(c.pipeline.schedule)' has \(stages) "
                        + "on \(c.pipeline.stages) ranks: give \(stages) numbers"
                ])
            }
            return LayerPartition(counts: counts)
        }
    }
}
