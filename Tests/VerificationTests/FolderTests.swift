import Foundation
import Testing
import Verification

@Suite struct FolderTests {
    private func message(_ path: String) -> String {
        do {
            _ = try GoldenFolder.verify(path)
            return "nothing thrown"
        } catch {
            return "\(error)"
        }
    }

    @Test func filesOfOtherModelsAndLayersAreFoundByTheirNames() throws {
        let folder = try GoldenFolder()
        for kind in ["params", "plain", "packed", "decode", "adamw"] {
            try folder.copy("model_b_\(kind)", as: "model_c_\(kind)")
        }
        try folder.copy("layer", as: "layer_other")
        try folder.write("README.md", Array("Not golden data.".utf8))
        let reports = try folder.verify()
        #expect(reports.allSatisfy { $0.passed })
        #expect(reports.count == 4 + 4 + 4 + 2 + 1)
        #expect(Set(reports.map(\.file)).count == 5)
    }

    @Test(arguments: ["op_unheard", "norms", "model_b", "model_b_photograph"])
    func anUnknownNameFails(name: String) throws {
        let folder = try GoldenFolder()
        try folder.copy("op_rotary", as: name)
        try folder.copy("model_b_params")
        let failed = try folder.verify().filter { $0.file == "\(name).safetensors" }
        #expect(!failed.isEmpty)
        #expect(
            failed.allSatisfy {
                $0.failure?.contains("unknown kind") == true || $0.failure?.contains("no operation is called") == true
            })
    }

    @Test func aDamagedFileFailsAndTheOthersAreStillVerified() throws {
        let folder = try GoldenFolder()
        try folder.copy("op_rotary")
        try folder.write("op_norms.safetensors", [1, 2, 3])
        let reports = try folder.verify()
        #expect(reports.filter { $0.file == "op_rotary.safetensors" }.allSatisfy { $0.passed })
        #expect(reports.filter { $0.file == "op_norms.safetensors" }.map(\.passed) == [false])
    }

    @Test func aFileWithoutTensorsFails() throws {
        let folder = try GoldenFolder()
        try folder.copy("op_rotary") { _ in .leaveOut }
        try folder.copy("op_norms")
        let reports = try folder.verify()
        #expect(reports.contains { $0.file == "op_rotary.safetensors" && !$0.passed })
    }

    @Test func aFolderWithNothingToVerifyIsRefused() throws {
        let folder = try GoldenFolder()
        #expect(message(folder.path).contains("holds no .safetensors files"))
        try folder.copy("model_b_params")
        #expect(message(folder.path).contains("holds parameters only"))
        #expect(message(folder.path + "/nowhere").contains("cannot read the directory"))
    }
}
