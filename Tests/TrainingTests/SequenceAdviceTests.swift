import Corpora
import Foundation
import Testing
import Training

/// Every value that the message of a short text names is taken when it is given.
@Suite struct SequenceAdviceTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let model = [
        "--model.layers=2", "--model.dim=32", "--model.z_dim=16", "--model.value_dim=32", "--model.ffn_dim=32",
        "--model.heads=2",
        "--model.ema_dim=2", "--model.norm_groups=4", "--training.batch=2",
    ]

    private func plan(_ bytes: Int, _ overrides: [String]) throws -> TrainingPlan {
        let path = try folder.write("\(bytes)", (0..<bytes).lazy.map { UInt8(65 + $0 % 26) })
        let all = Self.model + ["--data.path=\(path)", "--run.directory=\(folder.file("run"))"] + overrides
        return try TrainingPlan(RunConfiguration.load(file: nil, overrides: all).validated(world: nil))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let bytes: Int
        let overrides: [String]
        /// What the message must name.
        let names: [String]
        var testDescription: String { "\(bytes) bytes, \(overrides.joined(separator: " "))" }
    }

    @Test(arguments: [
        Case(
            bytes: 32, overrides: ["--model.chunk=16", "--data.sequence=32", "--data.held_out=0"],
            names: ["data.sequence to 16"]),
        Case(
            bytes: 300,
            overrides: ["--model.chunk=16", "--data.sequence=512", "--data.held_out=0", "--pipeline.slice=64"],
            names: ["data.sequence to 256"]),
        Case(
            bytes: 60,
            overrides: ["--model.chunk=16", "--data.sequence=512", "--data.held_out=0", "--pipeline.slice=64"],
            names: ["data.sequence to 48 and pipeline.slice to 0"]),
        Case(
            bytes: 10, overrides: ["--model.chunk=16", "--data.sequence=64", "--data.held_out=0"],
            names: ["at least 65 bytes of text, 55 more"]),
        Case(
            bytes: 200, overrides: ["--model.chunk=8", "--data.sequence=64", "--data.held_out=0.05"],
            names: ["data.sequence to 8", "data.held_out to 0.4", "data.held_out to 0 for no evaluation"]),
        Case(
            bytes: 100,
            overrides: ["--model.chunk=8", "--data.sequence=64", "--data.held_out=0", "--data.streams=true"],
            names: ["data.sequence to 48"]),
    ])
    func `what is suggested works`(_ c: Case) throws {
        let error = #expect(throws: CorpusError.self) { try plan(c.bytes, c.overrides) }
        let text = error?.description ?? ""
        for name in c.names { #expect(text.contains(name), "\(text)") }
        let needed = try #require(text.firstMatch(of: /give at least (\d+) bytes of text/))
        let bytes = try #require(Int(needed.1))
        _ = try plan(bytes, c.overrides)
        #expect(throws: CorpusError.self) { try plan(bytes - 1, c.overrides) }
        for way in text.matches(of: /or set (data\.[a-z_]+) to ([0-9.]*[0-9])( and pipeline\.slice to 0)?/) {
            let slice = way.3 == nil ? [] : ["--pipeline.slice=0"]
            _ = try plan(c.bytes, c.overrides + ["--\(way.1)=\(way.2)"] + slice)
        }
        if text.contains("data.sequence to") {
            let named = try #require(text.firstMatch(of: /data\.sequence to (\d+)/))
            // Nothing longer would do.
            let chunk = c.overrides.contains("--model.chunk=16") ? 16 : 8
            let longer = try #require(Int(named.1)) + chunk
            if !c.overrides.contains("--pipeline.slice=64") {
                #expect(throws: CorpusError.self) { try plan(c.bytes, c.overrides + ["--data.sequence=\(longer)"]) }
            }
        }
    }
}
