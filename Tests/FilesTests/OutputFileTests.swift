import Files
import Foundation
import Testing

@Suite struct OutputFileTests {
    private static let picture = "<svg xmlns=\"x\">\n<!-- drawn by gecko -->\n</svg>\n"

    @Test func `replaces its own kind, an empty file and nothing else`() throws {
        let folder = try Scratch()
        let path = folder.path("a.svg")
        try OutputFile.write(Self.picture, to: path, as: .picture, overwrite: false)
        try OutputFile.write(Self.picture + "<!-- 2 -->", to: path, as: .picture, overwrite: false)
        #expect(try folder.text("a.svg").hasSuffix("2 -->"))
        try SmallFile.write("", to: path)
        try OutputFile.write(Self.picture, to: path, as: .picture, overwrite: false)
        for foreign in ["my notes", "<svg>by hand</svg>", "gecko-schedule 1\n", "\u{0}\u{1}"] {
            try SmallFile.write(foreign, to: path)
            let error = #expect(throws: FileError.self) {
                try OutputFile.write(Self.picture, to: path, as: .picture, overwrite: false)
            }
            #expect(error?.description.contains("--overwrite") == true)
            #expect(try folder.text("a.svg") == foreign)
        }
        try OutputFile.write(Self.picture, to: path, as: .picture, overwrite: true)
        #expect(try folder.text("a.svg") == Self.picture)
    }

    @Test func `looks at the file at the end of a link`() throws {
        let folder = try Scratch()
        try SmallFile.write("my notes", to: folder.path("notes"))
        try folder.link("link", to: "notes")
        #expect(throws: FileError.self) {
            try OutputFile.write(Self.picture, to: folder.path("link"), as: .picture, overwrite: false)
        }
        #expect(try folder.text("notes") == "my notes")
    }
}
