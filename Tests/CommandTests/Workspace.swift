import Foundation
import TestSupport

/// A folder with a corpus and a small configuration, gone with the test.
final class Workspace {
    let path: String

    /// The section `[model]` of a small model of each architecture, and of variants, whose names begin with that of their
    /// architecture and a space.
    static let models = [
        "gecko": """
        layers = 4
        dim = 32
        z_dim = 16
        value_dim = 32
        ffn_dim = 32
        heads = 2
        ema_dim = 2
        chunk = 16
        norm_groups = 4
        """,
        "llama": """
        layers = 4
        dim = 32
        heads = 4
        kv_heads = 2
        ffn_dim = 48
        """,
        "megalodon": """
        layers = 4
        dim = 32
        z_dim = 16
        value_dim = 32
        ffn_dim = 32
        heads = 2
        ema_dim = 2
        chunk = 16
        norm_groups = 4
        """,
        "mega": """
        layers = 4
        dim = 32
        z_dim = 16
        value_dim = 32
        ffn_dim = 32
        ema_dim = 2
        chunk = 16
        """,
        // Every token of a sequence is kept.
        "mega whole, laplace": """
        layers = 4
        dim = 32
        z_dim = 16
        value_dim = 32
        ffn_dim = 32
        ema_dim = 2
        chunk = 0
        max_positions = 64
        attention = "laplace"
        """,
        "mega relu2": """
        layers = 4
        dim = 32
        z_dim = 16
        value_dim = 32
        ffn_dim = 32
        ema_dim = 2
        chunk = 16
        attention = "relu2"
        position_bias = "simple"
        """,
    ]

    /// Those with layers that keep every token.
    static let keepingModels = ["llama", "mega whole, laplace"]

    /// - Parameters:
    ///   - name: one of `models`
    ///   - corpus: another text than the usual one
    init(_ name: String = "gecko", corpus: String? = nil) throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("gecko-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
        let text = corpus ?? (0..<900).map { "\($0 * $0 % 977) geese and \($0 * 7 % 31) swans. " }.joined()
        try write("corpus.txt", text)
        // The first architecture is that of a file that names none.
        let architecture = name.prefix { $0 != " " }
        let model = (architecture == "gecko" ? "" : "architecture = \"\(architecture)\"\n") + Self.models[name]!
        try write(
            "run.toml",
            """
            [model]
            \(model)

            [data]
            path = "\(path)/corpus.txt"
            held_out = 0.1
            sequence = 64

            [training]
            steps = 3
            batch = 4
            evaluate_sequences = 2
            sample_tokens = 5

            [pipeline]
            slice = 16

            [run]
            directory = "\(path)/run"
            overwrite = true
            """)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
    }

    /// `gecko train run.toml` with overrides.
    func train(
        _ overrides: [String] = [], ranks: Int = 0, environment: [String: String] = [:]
    ) async throws -> Mpirun.Outcome {
        try await Mpirun.run(
            "gecko", ["train", path + "/run.toml"] + overrides, ranks: ranks, environment: environment)
    }

    /// Another subcommand of `gecko`.
    func gecko(_ arguments: String...) async throws -> Mpirun.Outcome {
        try await Mpirun.run("gecko", arguments, ranks: 0)
    }
}

extension Mpirun.Outcome {
    /// The digest on the last line that the program itself printed.
    var digest: String? {
        output.split(separator: "\n").last { $0.hasPrefix("parameters sha256 ") }.map { String($0.suffix(64)) }
    }
}
