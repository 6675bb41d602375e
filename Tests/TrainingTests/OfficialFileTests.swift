import Checkpoints
import Files
import Foundation
import Model
import Numerics
import Pipeline
import TestSupport
import Testing
import Training

/// State dicts of the published code of Megalodon and Mega, as one safetensors file: written, read, and refused where
/// they hold another model.
@Suite struct OfficialFileTests {
    static let models = [
        "megalodon": "architecture = \"megalodon\"\nz_dim = 8\nvalue_dim = 16\nheads = 2\nnorm_groups = 4",
        "megalodon tied": """
        architecture = "megalodon"
        z_dim = 8
        value_dim = 16
        heads = 2
        norm_groups = 4
        tie_embeddings = true
        """,
        "mega": "architecture = \"mega\"\nz_dim = 8\nvalue_dim = 16\nfinal_norm_affine = true",
        "mega simple tied": """
        architecture = "mega"
        z_dim = 8
        value_dim = 16
        position_bias = "simple"
        tie_embeddings = true
        """,
    ]

    /// A folder with a text, a configuration and a plain file of random numbers for it.
    private static func space(_ name: String) throws -> (TemporaryFolder, RunConfiguration) {
        let space = try TemporaryFolder()
        _ = try space.write("text.txt", (0..<4000).map { UInt8(97 + $0 * $0 % 23) })
        _ = try space.write(
            "run.toml",
            """
            [model]
            \(models[name]!)
            layers = 2
            dim = 12
            ffn_dim = 20
            ema_dim = 2
            chunk = 8
            [data]
            path = "\(space.path)/text.txt"
            sequence = 32
            [run]
            directory = "\(space.path)/run"
            """.utf8)
        let configuration = try RunConfiguration.load(file: space.file("run.toml"), overrides: [])
        let specs = try parameters(configuration)
        let writer = try SafetensorsWriter(
            space.file("own.safetensors"), specs.map { .init($0.name, .float32, $0.shape) })
        for (i, spec) in specs.enumerated() {
            let noise = CounterGenerator(seed: 4, stream: UInt64(i))
            try writer.write(
                spec.name, (0..<spec.count).map { Float(noise.integer(UInt64($0), below: 2001)) / 1000 - 1 })
        }
        try writer.finish()
        return (space, configuration)
    }

    private static func parameters(_ configuration: RunConfiguration) throws -> [ParameterSpec] {
        let plan = try PipelinePlan(configuration.validated(world: nil))
        return (0...plan.lastStage).flatMap { plan.blocks(of: $0).flatMap(\.parameters) }.filter { $0.copyOf == nil }
    }

    /// A file as the beginning of a run, and its parameters from there.
    private static func passed(
        _ file: String, _ space: TemporaryFolder, _ configuration: RunConfiguration, run: String,
        to target: (String) -> CheckpointExchange.Target
    ) throws -> SafetensorsFile {
        var configuration = configuration
        configuration.run.directory = space.file(run)
        let begun = try CheckpointExchange.import(
            try CheckpointExchange.model(at: file), configurationFile: space.file("run.toml"),
            configuration: configuration)
        let location = try CheckpointLocation(begun.path)
        let output = space.file("\(run).safetensors")
        _ = try CheckpointExchange.export(
            try location.manifest(step: nil), of: location.store, to: target(output))
        return try SafetensorsFile(output)
    }

    @Test(arguments: models.keys.sorted()) func bothWaysAndBack(_ name: String) throws {
        let (space, configuration) = try Self.space(name)
        let own = try SafetensorsFile(space.file("own.safetensors"))
        let official = try Self.passed(own.path, space, configuration, run: "official") { .official($0) }
        let isMega = name.hasPrefix("mega ") || name == "mega"
        let prefix = isMega ? "decoder." : ""
        let rotary = name == "mega"
        for tensor in own.names {
            let entry = try official.entry(prefix + tensor)
            let ones = entry.shape.filter { $0 == 1 }.count
            let part = tensor.split(separator: ".").suffix(2).joined(separator: ".")
            let expected =
                switch part {
                case "cema.theta": 2
                case "cema.alpha", "cema.delta", "cema.omega", "move.alpha", "move.delta", "move.beta",
                    "rel_pos_bias.alpha", "rel_pos_bias.beta":
                    1
                default: 0
                }
            let shape = try own.entry(tensor).shape
            #expect(ones == expected && entry.shape.filter { $0 > 1 } == shape, "\(tensor)")
            let offset: Float = isMega && tensor.hasSuffix("norm.norm.weight") ? 1 : 0
            let theirs = try official.floats(prefix + tensor)
            let ours = try own.floats(tensor)
            #expect(zip(theirs, ours).allSatisfy { $0 == $1 + offset }, "\(tensor)")
        }
        let others = Set(official.names).subtracting(own.names.map { prefix + $0 })
        let norms = ["layers.0.mega.timenorm", "layers.1.mega.timenorm", "output.final_norm"]
        var expected = isMega ? [] : norms.flatMap { n in ["count", "mean", "logv"].map { "\(n).prior_\($0)" } }
        if !isMega { expected.append("rope.freqs") }
        if rotary { expected = (0..<2).map { "decoder.layers.\($0).mega_layer.rel_pos_bias._float_tensor" } }
        if name.hasSuffix("tied") {
            expected.append(isMega ? "decoder.output_projection.weight" : "output.output.weight")
        }
        #expect(others == Set(expected))
        if !isMega {
            #expect(try official.int64s("output.final_norm.prior_count") == [0])
            #expect(try official.entry("output.final_norm.prior_count").shape == [])
            // dz = 4: 1 and 10000^(-2/4).
            let frequencies = try official.floats("rope.freqs")
            #expect(frequencies.count == 2 && frequencies[0] == 1 && abs(frequencies[1] - 0.01) < 1e-8)
        }
        let back = try Self.passed(official.path, space, configuration, run: "back") { .file($0) }
        for tensor in own.names {
            // A norm's weight gets its 1 and loses it.
            let rounding: Float = isMega && tensor.hasSuffix("norm.norm.weight") ? 1.2e-7 : 0
            let pairs = zip(try back.floats(tensor), try own.floats(tensor))
            #expect(pairs.allSatisfy { abs($0 - $1) <= rounding }, "\(tensor)")
        }
    }

    /// An official file with some tensors under other names, with other numbers, or left out.
    private static func changed(
        _ name: String, _ change: (inout [(name: String, type: TensorType, shape: [Int], bytes: [UInt8])]) -> Void
    ) throws -> (TemporaryFolder, RunConfiguration, String) {
        let (space, configuration) = try Self.space(name)
        let official = try passed(space.file("own.safetensors"), space, configuration, run: "official") {
            .official($0)
        }
        var tensors = try official.names.map { name in
            let entry = try official.entry(name)
            return (
                name: name, type: entry.type, shape: entry.shape, bytes: try official.withBytes(name) { Array($0) }
            )
        }
        change(&tensors)
        let path = space.file("changed.safetensors")
        let writer = try SafetensorsWriter(path, tensors.map { .init($0.name, $0.type, $0.shape) })
        for tensor in tensors { try tensor.bytes.withUnsafeBytes { try writer.write(tensor.name, $0) } }
        try writer.finish()
        return (space, configuration, path)
    }

    @Test func theDecodersNameMayBeLeftOutAndWhatNothingIsLearnedIn() throws {
        for name in ["mega", "megalodon tied"] {
            let (space, configuration, path) = try Self.changed(name) { tensors in
                tensors.removeAll {
                    $0.name.contains("_float_tensor") || $0.name.contains("prior_") || $0.name == "rope.freqs"
                        || $0.name == "output.output.weight"
                }
                for i in tensors.indices where tensors[i].name.hasPrefix("decoder.") {
                    tensors[i].name.removeFirst("decoder.".count)
                }
            }
            let back = try Self.passed(path, space, configuration, run: "back") { .file($0) }
            let own = try SafetensorsFile(space.file("own.safetensors"))
            for tensor in own.names {
                let pairs = zip(try back.floats(tensor), try own.floats(tensor))
                #expect(pairs.allSatisfy { abs($0 - $1) <= 1.2e-7 }, "\(tensor)")
            }
        }
    }

    private static func fault(
        _ name: String, _ change: (inout [(name: String, type: TensorType, shape: [Int], bytes: [UInt8])]) -> Void
    ) throws -> String {
        let (space, configuration, path) = try changed(name, change)
        let error = #expect(throws: (any Error).self) {
            try passed(path, space, configuration, run: "back") { .file($0) }
        }
        return error.map { "\($0)" } ?? ""
    }

    @Test func anotherModelIsRefused() throws {
        let lacks = try Self.fault("mega") { $0.removeAll { $0.name.hasSuffix("layers.1.nffn.fc1.weight") } }
        #expect(lacks.contains("official form and lacks 1 of") && lacks.contains("'decoder.layers.1.nffn.fc1.weight'"))
        let more = try Self.fault("megalodon") { $0.append(("layers.2.x", .float32, [1], [0, 0, 0, 0])) }
        #expect(more.contains("has 1 tensors that this model hasn't, such as 'layers.2.x'"), "\(more)")
        let prior = try Self.fault("megalodon") { tensors in
            let i = tensors.firstIndex { $0.name == "output.final_norm.prior_count" }!
            tensors[i].bytes[0] = 3
        }
        #expect(prior.contains("'output.final_norm.prior_count' is [3]; expected 0"), "\(prior)")
        let turns = try Self.fault("megalodon") { tensors in
            let i = tensors.firstIndex { $0.name == "rope.freqs" }!
            tensors[i].bytes.replaceSubrange(4..<8, with: withUnsafeBytes(of: Float(0.5)) { Array($0) })
        }
        #expect(turns.contains("'rope.freqs' is 0.5 at 1; expected 0.01"), "\(turns)")
        let untied = try Self.fault("megalodon tied") { tensors in
            let i = tensors.firstIndex { $0.name == "output.output.weight" }!
            tensors[i].bytes[2] ^= 1
        }
        #expect(untied.contains("'output.output.weight' isn't the same as 'embed.weight'"), "\(untied)")
        let axes = try Self.fault("mega") { tensors in
            let i = tensors.firstIndex { $0.name == "decoder.layers.1.mega_layer.move.beta" }!
            tensors[i].shape.removeLast()
        }
        #expect(axes.contains("move.beta' is F32 [12, 2]; this model in the official form has [12, 2, 1]"), "\(axes)")
    }

    @Test(arguments: ["gecko", "llama"]) func whoseFileIsTheOfficialOneHasNoOther(_ name: String) throws {
        let error = #expect(throws: (any Error).self) {
            try Self.writeOfficial(name)
        }
        #expect(error.map { "\($0)" }?.contains("no format \"official\" for a \(name)") == true)
    }

    private static func writeOfficial(_ name: String) throws {
        let space = try TemporaryFolder()
        _ = try space.write("text.txt", (0..<4000).map { UInt8(97 + $0 * $0 % 23) })
        let configuration = try RunConfiguration.load(
            file: nil,
            overrides: [
                "--data.path", space.file("text.txt"), "--model.architecture", name, "--model.dim", "32",
                "--model.layers",
                "1", "--data.sequence", "128", "--run.directory", space.file("run"),
            ])
        let specs = try parameters(configuration)
        let writer = try SafetensorsWriter(
            space.file("own.safetensors"), specs.map { .init($0.name, .float32, $0.shape) })
        for spec in specs { try writer.write(spec.name, [Float](repeating: 0.5, count: spec.count)) }
        try writer.finish()
        _ = try passed(space.file("own.safetensors"), space, configuration, run: "run") { .official($0) }
    }
}
