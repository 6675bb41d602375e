import Checkpoints
import Files
import Foundation
import JSON
import Testing
import Training

@Suite struct MetricsTests {
    @Test func `a line of metrics is JSON with every figure`() throws {
        guard case .object(let members) = try JSONParser.parse(metrics(step: 3, heldOutLoss: 1).json).value else {
            Issue.record("not an object")
            return
        }
        let fields = Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value) })
        #expect(fields["step"] == .integer(3))
        #expect(fields["loss"] == .integer(2))
        #expect(fields["bits_per_byte"] == .number("2.8853900817779268"))
        #expect(fields["tokens"] == .integer(12_288))
        #expect(fields["learning_rate"] == .number("0.00183"))
        #expect(fields["held_out_loss"] == .integer(1))
        #expect(fields["held_out_bits_per_byte"] == .number("1.4426950408889634"))
        #expect(fields.count == 13)
        #expect(!metrics(step: 3).json.contains("held_out") && !metrics(step: 3).json.contains("early_sums"))
        let synced = metrics(step: 3, earlySums: 0.75)
        #expect(synced.json.contains("\"early_sums\":0.75") && StepMetrics(json: Array(synced.json.utf8)) == synced)
        #expect(metrics(step: 3, gradientNorm: .infinity).json.contains("\"gradient_norm\":null"))
    }

    @Test func `a step without targets has no loss`() throws {
        var void = metrics(step: 3, loss: .nan, gradientNorm: 0, skipped: 1)
        void.hasTargets = false
        #expect(void.json.contains("\"loss\":null") && void.json.contains("\"targets\":0"))
        #expect(StepMetrics(json: Array(void.json.utf8))?.hasTargets == false)
        #expect(StepMetrics(json: Array(metrics(step: 3).json.utf8))?.hasTargets == true)
    }

    @Test func `each step is in the file as soon as it is written, and a new writer begins anew`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("metrics.jsonl")
        for run in 1...2 {
            let writer = try MetricsWriter(path)
            for step in 1...3 {
                try writer.write(metrics(step: step * run))
                let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
                #expect(lines.count == step)
                #expect(lines.last.map(String.init) == metrics(step: step * run).json)
            }
        }
        let error = #expect(throws: FileError.self) { try MetricsWriter(folder.file("no/metrics.jsonl")) }
        #expect(error?.description.contains("No such file") == true)
    }
}
