import Checkpoints
import Files
import Foundation
import Testing

@Suite struct SafetensorsFileTests {
    @Test func `every golden file opens and its tensors fit their shapes`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: fixtures).filter {
            $0.hasSuffix(".safetensors")
        }
        #expect(names.count >= 18)
        for name in names {
            let file = try SafetensorsFile("\(fixtures)/\(name)")
            #expect(!file.entries.isEmpty)
            for entry in file.entries {
                #expect(entry.count == entry.shape.reduce(1, *), "\(name) \(entry.name)")
                try file.withBytes(entry.name) { #expect($0.count == entry.range.count) }
            }
        }
    }

    @Test func `golden parameters have their configuration and sane values`() throws {
        let file = try SafetensorsFile("\(fixtures)/model_a_params.safetensors")
        #expect(file.metadata["config"] != nil)
        let entry = try file.entry("embed.weight")
        #expect(entry.shape == [97, 64])
        let values = try file.floats("embed.weight")
        #expect(values.count == 97 * 64)
        #expect(values.allSatisfy { $0.isFinite && abs($0) < 4 })
        #expect(values.contains { $0 != 0 })
    }

    @Test func `scalars, empty tensors and an empty file are legal`() throws {
        let folder = try TemporaryFolder()
        let header = """
            {"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"e":{"dtype":"I64","shape":[3,0],"data_offsets":[4,4]},
            "b":{"dtype":"BOOL","shape":[2],"data_offsets":[4,6]}}    
            """
        let file = try SafetensorsFile(try folder.write("a", safetensors(header, buffer: 6)))
        #expect(try file.floats("s") == [0])
        #expect(try file.entry("e").count == 0)
        #expect(try file.uint8s("b") == [0, 0])
        #expect(file.names == ["s", "e", "b"])
        #expect(try SafetensorsFile(try folder.write("b", safetensors("{}"))).names.isEmpty)
    }

    @Test func `a tensor at an odd offset is read`() throws {
        let folder = try TemporaryFolder()
        let header =
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
            + #""f":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"#
        var bytes = safetensors(header)
        bytes += [7] + withUnsafeBytes(of: Float(2.5)) { Array($0) }
        let file = try SafetensorsFile(try folder.write("a", bytes))
        #expect(try file.floats("f") == [2.5])
        #expect(try file.uint8s("a") == [7])
    }

    @Test(arguments: [
        // The JSON itself.
        ("[]", 0, "begin with '{'"),
        (" {}", 0, "begin with '{'"),
        ("{\"a\":}", 0, "at byte 13"),
        ("{}\n", 0, "nothing but spaces"),
        ("{} {}", 0, "expected the end"),
        ("{\"a\":1}", 0, "tensor \"a\": expected an object"),
        // Duplicate keys.
        (
            #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"#
                + #""a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
            0, "the key \"a\" is given twice"
        ),
        (#"{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#, 0, "the key \"dtype\" is given twice"),
        (#"{"__metadata__":{"k":"v","k":"w"}}"#, 0, "the key \"k\" is given twice"),
        // Fields.
        (#"{"a":{"shape":[0],"data_offsets":[0,0]}}"#, 0, "dtype is missing"),
        (#"{"a":{"dtype":"U8","data_offsets":[0,0]}}"#, 0, "shape is missing"),
        (#"{"a":{"dtype":"U8","shape":[0]}}"#, 0, "data_offsets is missing"),
        (#"{"a":{"dtype":"F12","shape":[0],"data_offsets":[0,0]}}"#, 0, "unknown dtype \"F12\""),
        (#"{"a":{"dtype":3,"shape":[0],"data_offsets":[0,0]}}"#, 0, "dtype must be a string"),
        (#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}"#, 0, "shape must be"),
        (#"{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}"#, 1, "shape must be"),
        (#"{"a":{"dtype":"U8","shape":3,"data_offsets":[0,3]}}"#, 3, "shape must be"),
        (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}"#, 1, "data_offsets must be"),
        (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}"#, 1, "data_offsets must be"),
        (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"extra":1}}"#, 1, "unknown field \"extra\""),
        (#"{"__metadata__":{"k":1}}"#, 0, "maps strings to strings"),
        (#"{"__metadata__":[]}"#, 0, "must be an object"),
        // Sizes.
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "takes 8 bytes"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0, "overflows"),
        (#"{"a":{"dtype":"F64","shape":[9223372036854775807],"data_offsets":[0,8]}}"#, 8, "overflows"),
        (#"{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0]}}"#, 0, "shape must be"),
        (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,99999999999999999999]}}"#, 1, "data_offsets must be"),
        // Coverage of the buffer.
        (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, 3, "hole"),
        (
            #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
                + #""b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
            3, "tensor \"b\": data_offsets begin at 1, which overlaps"
        ),
        (
            #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
                + #""b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}}"#,
            5, "hole"
        ),
        (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, 3, "the tensors end at byte 2"),
        (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, 1, "cut off"),
        ("{}", 1, "the tensors end at byte 0"),
    ])
    func `a malformed file is refused by name and reason`(header: String, buffer: Int, reason: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("broken.safetensors", safetensors(header, buffer: buffer))
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path) }
        let text = try #require(error?.description)
        #expect(text.hasPrefix(path) && text.contains(reason), "\(text)")
    }

    @Test func `a cut or lying header length is refused`() throws {
        let folder = try TemporaryFolder()
        let cases: [([UInt8], String)] = [
            ([], "at least 8 bytes"),
            ([1, 2, 3], "at least 8 bytes"),
            ([0, 0, 0, 0, 0, 0, 0, 0], "begin with '{'"),
            ([16, 0, 0, 0, 0, 0, 0, 0, 0x7B], "cut off"),
            ([1, 0xE1, 0xF5, 5, 0, 0, 0, 0, 0x7B], "over the format's limit"),
            ([255, 255, 255, 255, 255, 255, 255, 255, 0x7B], "over the format's limit"),
            (Array("In the beginning".utf8), "this is not a safetensors file"),
        ]
        for (bytes, reason) in cases {
            let path = try folder.write("cut", bytes)
            let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path) }
            #expect(error?.reason.contains(reason) == true, "\(error?.description ?? "")")
        }
    }

    @Test func `any cut of a golden file is refused`() throws {
        let folder = try TemporaryFolder()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(fixtures)/op_cross_entropy.safetensors")))
        for count in stride(from: 0, to: whole.count, by: 97) {
            let path = try folder.write("cut", Array(whole[..<count]))
            #expect(throws: SafetensorsError.self, "cut after \(count) bytes") { try SafetensorsFile(path) }
        }
    }

    @Test func `random damage to a header is refused or harmless, never a crash`() throws {
        let folder = try TemporaryFolder()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(fixtures)/op_cross_entropy.safetensors")))
        let header = 8 + Int(whole[0]) + Int(whole[1]) << 8
        var state: UInt64 = 3
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var refused = 0
        var sum = 0
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0...random(3) {
                // Digits do most harm among offsets and shapes.
                bytes[random(header)] = random(2) == 0 ? UInt8(0x30 + random(10)) : UInt8(random(256))
            }
            let path = try folder.write("damaged", bytes)
            do {
                let file = try SafetensorsFile(path)
                for name in file.names { try file.withBytes(name) { sum = $0.reduce(sum) { $0 &+ Int($1) } } }
            } catch is SafetensorsError {
                refused += 1
            }
        }
        #expect(refused > 100 && refused < 400 && sum > 0)
    }

    @Test func `what is not a file is refused`() throws {
        let folder = try TemporaryFolder()
        let missing = #expect(throws: FileError.self) { try SafetensorsFile(folder.file("missing")) }
        #expect(missing?.description.contains("No such file") == true)
        let directory = #expect(throws: FileError.self) { try SafetensorsFile(folder.path) }
        #expect(directory?.description.contains("not a regular file") == true)
    }

    @Test func `a missing tensor and a wrong type name the tensor`() throws {
        let file = try SafetensorsFile("\(fixtures)/model_a_params.safetensors")
        let missing = #expect(throws: SafetensorsError.self) { try file.floats("no.such") }
        #expect(missing?.tensor == "no.such")
        let wrong = #expect(throws: SafetensorsError.self) { try file.int32s("embed.weight") }
        #expect(wrong?.reason == "expected I32, found F32")
    }
}
