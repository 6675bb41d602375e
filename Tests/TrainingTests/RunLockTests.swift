import Checkpoints
import Files
import Foundation
import Testing
import Training

@Suite struct RunLockTests {
    @Test func `a second run in a folder is refused and told of the first, until the first is over`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("run")
        try Folder.make(path)
        var first: RunLock? = try RunLock(path)
        #expect(first?.warning == nil)
        let error = #expect(throws: FileError.self) { try RunLock(path) }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("\(path): cannot start a run in this folder: another run is under way there: "))
        #expect(text.contains("process \(getpid()) on \(ProcessInfo.processInfo.hostName), since 20"))
        #expect(text.contains("run.directory"))
        first = nil
        #expect(first == nil)
        #expect(throws: Never.self) { try RunLock(path) }
    }
}
