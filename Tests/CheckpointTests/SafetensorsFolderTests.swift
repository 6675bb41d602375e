import Checkpoints
import Foundation
import Testing

/// Numbers in halves, and tensors in several files.
@Suite struct SafetensorsFolderTests {
    private static func file(_ folder: TemporaryFolder, _ type: TensorType, _ words: [UInt16]) throws -> SafetensorsFile
    {
        let writer = try SafetensorsWriter(folder.file("x"), [.init("x", type, [words.count])])
        try words.map(\.littleEndian).withUnsafeBytes { try writer.write("x", $0) }
        try writer.finish()
        return try SafetensorsFile(folder.file("x"))
    }

    @Test func everyHalfIsExactInSinglePrecision() throws {
        let folder = try TemporaryFolder()
        let words = (0...UInt16.max).map { $0 }
        let brain = try Self.file(folder, .bfloat16, words).widened("x")
        let half = try Self.file(folder, .float16, words).widened("x")
        for word in words {
            #expect(brain[Int(word)].bitPattern == UInt32(word) << 16)
            let (sign, exponent, fraction) = (word >> 15, Int(word >> 10 & 31), Double(word & 1023))
            let size =
                exponent == 0 ? fraction * pow(2, -24) : (1024 + fraction) * pow(2, Double(exponent) - 25)
            let found = half[Int(word)]
            if exponent < 31 {
                #expect(Double(found) == (sign == 1 ? -size : size))
            } else {
                #expect(fraction == 0 ? found.isInfinite && (found < 0) == (sign == 1) : found.isNaN)
            }
        }
    }

    @Test func integersAreNoNumbersOfAModel() throws {
        let folder = try TemporaryFolder()
        let error = try #require(throws: SafetensorsError.self) {
            try Self.file(folder, .int16, [1, 2]).widened("x")
        }
        #expect("\(error)".contains("expected F32, BF16, F16, found I16"), "\(error)")
    }

    @Test(arguments: [
        ("{\"weight_map\": {\"x\": \"../x\"}}", "\"x\" is the string \"../x\"; expected a file of this folder"),
        ("{\"weight_map\": {\"x\": 1}}", "\"x\" is the number 1; expected a file of this folder"),
        ("{\"weight_map\": {\"y\": \"x\"}}", "not in this file, which model.safetensors.index.json names for it"),
        ("{\"weight_map\": {\"x\": \"z\"}}", "cannot open it"),
        ("{\"weights\": {}}", "weight_map is missing"),
        ("{\"weight_map\": ", "not valid JSON: at byte 15"),
    ]) func anIndexThatLeadsNowhereIsRefused(index: String, message: String) throws {
        let folder = try TemporaryFolder()
        _ = try Self.file(folder, .float16, [0])
        _ = try folder.write("model.safetensors.index.json", Array(index.utf8))
        let error = try #require(throws: (any Error).self) { try SafetensorsFolder(folder.path) }
        #expect("\(error)".contains(message), "\(error)")
    }
}
