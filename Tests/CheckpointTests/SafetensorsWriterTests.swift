import Checkpoints
import Files
import Foundation
import Testing

@Suite struct SafetensorsWriterTests {
    @Test func `what is written reads back, in any order of writing`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.safetensors")
        let writer = try SafetensorsWriter(
            path,
            [
                .init("bytes", .uint8, [3]), .init("weight \"q\"", .float32, [2, 2]), .init("empty", .float32, [0, 4]),
                .init("scalar", .int32, []), .init("wide", .float64, [1]),
            ],
            metadata: ["config": #"{"a": 1}"#, "b": "é"])
        try writer.write("scalar", [Int32(-7)])
        try writer.write("weight \"q\"", [1, 2, 3, .infinity] as [Float])
        try [UInt8](arrayLiteral: 9, 8, 7).withUnsafeBytes { try writer.write("bytes", $0) }
        try writer.write("empty", [Float]())
        try withUnsafeBytes(of: 0.5) { try writer.write("wide", $0) }
        try writer.finish()

        let file = try SafetensorsFile(path)
        #expect(file.metadata == ["config": #"{"a": 1}"#, "b": "é"])
        #expect(try file.floats("weight \"q\"") == [1, 2, 3, .infinity])
        #expect(try file.entry("weight \"q\"").shape == [2, 2])
        #expect(try file.int32s("scalar") == [-7])
        #expect(try file.uint8s("bytes") == [9, 8, 7])
        #expect(try file.withBytes("wide") { $0.loadUnaligned(as: Double.self) } == 0.5)
        #expect(file.entries.allSatisfy { $0.range.lowerBound % $0.type.size == 0 })
        let header = try Data(contentsOf: URL(fileURLWithPath: path)).prefix(8)
        #expect(header[0] % 8 == 0)
        #expect(try folder.contents == ["a.safetensors"])
    }

    @Test func `equal contents give equal files`() throws {
        let folder = try TemporaryFolder()
        let files = try ["a", "b"].map { name in
            let writer = try SafetensorsWriter(
                folder.file(name), [.init("x", .float32, [2])], metadata: ["p": "1", "o": "2", "n": "3"])
            try writer.write("x", [1, 2] as [Float])
            try writer.finish()
            return try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
        }
        #expect(files[0] == files[1])
    }

    @Test func `an unfinished file leaves nothing and keeps what was there`() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("a", [1, 2, 3])
        do {
            let writer = try SafetensorsWriter(folder.file("a"), [.init("x", .float32, [2])])
            #expect(try folder.contents.count == 2)
            let error = #expect(throws: SafetensorsError.self) { try writer.finish() }
            #expect(error?.tensor == "x")
        }
        #expect(try folder.contents == ["a"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("a"))) == Data([1, 2, 3]))
    }

    @Test func `wrong use is refused`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a")
        let writer = try SafetensorsWriter(path, [.init("x", .float32, [2]), .init("i", .int32, [1])])
        try writer.write("x", [1, 2] as [Float])
        let cases: [(String, () throws -> Void)] = [
            ("already written", { try writer.write("x", [1, 2] as [Float]) }),
            ("not declared", { try writer.write("y", [1] as [Float]) }),
            ("declared I32", { try writer.write("i", [1] as [Float]) }),
            ("found 8 bytes", { try writer.write("i", [1, 2] as [Int32]) }),
            ("declared twice", { _ = try SafetensorsWriter(path, [.init("x", .bool, []), .init("x", .bool, [])]) }),
            ("reserved", { _ = try SafetensorsWriter(path, [.init("__metadata__", .bool, [])]) }),
            ("too large", { _ = try SafetensorsWriter(path, [.init("x", .float64, [.max])]) }),
            ("negative", { _ = try SafetensorsWriter(path, [.init("x", .float64, [-1])]) }),
        ]
        for (reason, action) in cases {
            let error = #expect(throws: SafetensorsError.self) { try action() }
            #expect(error?.reason.contains(reason) == true, "\(error?.description ?? "")")
        }
    }

    @Test func `a folder that does not exist is named`() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: FileError.self) { try SafetensorsWriter(folder.file("no/a"), []) }
        #expect(error?.description.contains("No such file") == true)
    }
}
