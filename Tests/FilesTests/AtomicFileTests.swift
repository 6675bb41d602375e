import Files
import Foundation
import Testing

@Suite struct AtomicFileTests {
    @Test func `a link stays a link, and the file at its end is written`() throws {
        let folder = try Scratch()
        try SmallFile.write("old", to: folder.path("file"))
        try folder.link("link", to: "file")
        try folder.link("farther", to: folder.path("link"))
        try SmallFile.write("new", to: folder.path("farther"))
        #expect(try folder.text("file") == "new")
        #expect(folder.isLink("link") && folder.isLink("farther"))
    }

    @Test func `a link to nothing yet makes the file that it names`() throws {
        let folder = try Scratch()
        try folder.link("link", to: "file")
        try SmallFile.write("new", to: folder.path("link"))
        #expect(folder.isLink("link"))
        #expect(try folder.text("file") == "new")
    }

    @Test func `links in a circle are refused`() throws {
        let folder = try Scratch()
        try folder.link("a", to: "b")
        try folder.link("b", to: "a")
        #expect(throws: FileError.self) { try SmallFile.write("new", to: folder.path("a")) }
        #expect(folder.isLink("a") && folder.isLink("b"))
    }

    @Test func `what is no regular file is written into and stays what it is`() throws {
        let folder = try Scratch()
        let pipe = folder.path("pipe")
        try #require(mkfifo(pipe, 0o600) == 0)
        let reader = open(pipe, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try folder.link("link", to: "pipe")
        try SmallFile.write("through the pipe", to: folder.path("link"))
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = read(reader, &bytes, bytes.count)
        #expect(String(decoding: bytes[..<max(0, count)], as: UTF8.self) == "through the pipe")
        var status = stat()
        #expect(lstat(pipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
        #expect(try folder.contents == ["link", "pipe"])
    }

    @Test func `a pipe takes bytes in their order only`() throws {
        let folder = try Scratch()
        let pipe = folder.path("pipe")
        try #require(mkfifo(pipe, 0o600) == 0)
        let reader = open(pipe, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let file = try AtomicFile(pipe)
        try [1, 2, 3, 4].withUnsafeBytes { bytes in
            try file.write(bytes, at: 0)
            #expect(throws: FileError.self) { try file.write(bytes, at: bytes.count + 1) }
            try file.write(bytes, at: bytes.count)
        }
        #expect(try file.commit().size == 2 * 4 * MemoryLayout<Int>.size)
    }

    @Test func `an open descriptor is written by its number, from where it stands`() throws {
        let folder = try Scratch()
        let descriptor = open(folder.path("file"), O_RDWR | O_CREAT, 0o600)
        defer { close(descriptor) }
        _ = write(descriptor, "one ", 4)
        try SmallFile.write("two ", to: "/dev/fd/\(descriptor)")
        try SmallFile.write("three", to: "/proc/self/fd/\(descriptor)")
        #expect(try folder.text("file") == "one two three")
        #expect(throws: FileError.self) { try SmallFile.write("x", to: "/dev/fd/99999") }
    }

    @Test func `a file that is replaced keeps its mode`() throws {
        let folder = try Scratch()
        try SmallFile.write("old", to: folder.path("file"))
        chmod(folder.path("file"), 0o640)
        try SmallFile.write("new", to: folder.path("file"))
        var status = stat()
        #expect(stat(folder.path("file"), &status) == 0 && status.st_mode & 0o777 == 0o640)
    }

    @Test func `a folder is refused, and so is a name below a file`() throws {
        let folder = try Scratch()
        #expect(throws: FileError.self) { try SmallFile.write("x", to: folder.path) }
        try SmallFile.write("old", to: folder.path("file"))
        #expect(throws: FileError.self) { try SmallFile.write("x", to: folder.path("file/below")) }
        #expect(throws: FileError.self) { try SmallFile.write("x", to: folder.path("missing/below")) }
        #expect(try folder.contents == ["file"])
    }

    @Test func `the longest name that a file may have is enough`() throws {
        let folder = try Scratch()
        let name = String(repeating: "ä", count: 127)
        try SmallFile.write("x", to: folder.path(name))
        #expect(try folder.contents == [name])
    }

    @Test func `a file that is given up leaves nothing and what was there`() throws {
        let folder = try Scratch()
        try SmallFile.write("old", to: folder.path("file"))
        do {
            let file = try AtomicFile(folder.path("file"))
            try [1].withUnsafeBytes { try file.write($0, at: 0) }
        }
        #expect(try folder.text("file") == "old")
        #expect(try folder.contents == ["file"])
    }
}
