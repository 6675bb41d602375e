import Checkpoints
import Foundation
import Model
import Testing
import Verification

@Suite struct ModelFileTests {
    /// Verifies one file of model b beside its parameters, tensors of it changed.
    private func verify(_ kind: String, _ changes: (String) -> GoldenFolder.Change) throws -> [CaseReport] {
        let folder = try GoldenFolder()
        try folder.copy("model_b_params")
        try folder.copy("model_b_\(kind)", changes)
        return try folder.verify()
    }

    private static let changed: [(kind: String, tensor: String)] = [
        ("packed", "out.loss"), ("packed", "out.logits"), ("packed", "grad.layers.1.mega.cema.theta"),
        ("packed", "grad.embed.weight"), ("packed", "state.19.layers.2.lognorm"), ("packed", "state.40.segments"),
        ("packed", "state.45.layers.0.norm_count"), ("packed", "stategrad.24.layers.0.cema_h"),
        ("decode", "out.tokens"), ("decode", "out.forced_logits"), ("decode", "state.34.layers.1.memory"),
        ("adamw", "out.losses"), ("adamw", "out.grad_norms"), ("adamw", "final.layers.0.mega.wh2.weight"),
    ]

    @Test(arguments: changed) func oneChangedValueFailsByName(kind: String, tensor: String) throws {
        let reports = try verify(kind) { $0 == tensor ? .perturb(by: 1e-2) : .keep }
        let failed = reports.filter { !$0.passed }
        #expect(!failed.isEmpty)
        #expect(failed.allSatisfy { $0.tensor == tensor || $0.failure?.contains(tensor) == true }, "\(tensor)")
    }

    @Test(arguments: changed) func oneMissingTensorFailsByName(kind: String, tensor: String) throws {
        // Forced tokens without expected logits are a case that fails, too.
        let reports = try verify(kind) { $0 == tensor ? .leaveOut : .keep }
        let failed = reports.filter { !$0.passed }
        #expect(!failed.isEmpty)
        #expect(failed.allSatisfy { $0.failure?.contains("tensor '\(tensor)' is missing") == true }, "\(tensor)")
    }

    @Test func aMissingParameterFailsByName() throws {
        let folder = try GoldenFolder()
        try folder.copy("model_b_params") { $0 == "layers.1.mega.wz.bias" ? .leaveOut : .keep }
        try folder.copy("model_b_decode")
        let reports = try folder.verify()
        #expect(reports.count == 2)
        #expect(reports.allSatisfy { $0.failure?.contains("'layers.1.mega.wz.bias' is missing") == true })
    }

    @Test func statesAreComparedWithoutAListOfTheirPositions() throws {
        let folder = try GoldenFolder()
        try folder.copy("model_b_params")
        try folder.copy("model_b_packed") {
            $0 == "state.19.layers.2.memory" ? .perturb(by: 1e-2) : .keep
        } metadata: {
            $0["positions"] = nil
        }
        let reports = try folder.verify()
        #expect(reports.contains { $0.tensor == "state.19.layers.2.memory" && !$0.passed })
    }

    @Test func filesOfAModelWithoutItsParametersFail() throws {
        let folder = try GoldenFolder()
        try folder.copy("model_b_decode")
        let reports = try folder.verify()
        #expect(reports.count == 1)
        #expect(reports[0].failure?.contains("needs model_b_params.safetensors beside it") == true)
    }

    @Test func missingHyperparametersFailByName() throws {
        let folder = try GoldenFolder()
        try folder.copy("model_b_params")
        try folder.copy(
            "model_b_decode",
            metadata: { $0["config"] = $0["config"]?.replacingOccurrences(of: "chunk_size", with: "chunk") })
        let reports = try folder.verify()
        #expect(reports.allSatisfy { $0.failure?.contains("'chunk_size'") == true })
    }

    /// What readers of JSON pass over in silence could be another hyperparameter than was meant.
    @Test func hyperparametersThatAreNoStrictJSONFailWithTheirPlace() throws {
        let folder = try GoldenFolder()
        try folder.copy("model_b_params")
        try folder.copy("model_b_decode", metadata: { $0["config"] = #"{"chunk_size": 4, "chunk_size": 8}"# })
        let failures = try folder.verify().map { $0.failure ?? "passed" }
        let reason = #"the metadata under 'config' isn't JSON: byte 18: the key "chunk_size" is given twice"#
        #expect(!failures.isEmpty && failures.allSatisfy { $0.contains(reason) }, "\(failures)")
    }
}
