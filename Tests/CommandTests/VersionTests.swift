import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct VersionTests {
    @Test(arguments: ["--version", "-v"]) func theProgramSaysWhatItIs(option: String) async throws {
        let outcome = try await Mpirun.run("gecko", [option], ranks: 0)
        #expect(outcome.exitCode == 0)
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.first?.wholeMatch(of: #/gecko \d+\.\d+\.\d+/#) != nil, "\(outcome.output)")
        for word in ["commit ", "kernels ", "MPI "] {
            #expect(lines.contains { $0.hasPrefix(word) }, "\(outcome.output)")
        }
        #expect(outcome.output.firstMatch(of: #/commit   ([0-9a-f]{40}|unknown)/#) != nil, "\(outcome.output)")
    }

    @Test func aRunAndItsCheckpointSayItToo() async throws {
        let version = try #require(
            try await Mpirun.run("gecko", ["--version"], ranks: 0).output.split(separator: "\n").first)
        let space = try Workspace()
        let outcome = try await space.train(["--training.steps", "1"])
        #expect(outcome.output.hasPrefix("\(version) ("), "\(outcome.output)")
        let folder = space.path + "/run/checkpoints"
        let step = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasPrefix("step-") })
        let text = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(step)/manifest.json"))
        #expect(try Manifest(Array(text), file: "m").program?.hasPrefix("\(version) (") == true)
    }

    @Test func theCitationHasTheProgramsVersion() async throws {
        let version = try #require(
            try await Mpirun.run("gecko", ["--version"], ranks: 0).output.split(separator: "\n").first)
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let citation = try String(contentsOf: root.appendingPathComponent("CITATION.cff"), encoding: .utf8)
        #expect(citation.contains("\nversion: \(version.dropFirst("gecko ".count))\n"))
    }
}
