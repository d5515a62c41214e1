/// How the tasks of an ended channel come to their end.
enum ChannelEnding {
    /// How long what was accepted before a close may still take to be written.
    static let grace: Duration = .seconds(2)

    /// Cancels a channel's tasks: at once after a failure, after a time of grace otherwise.
    static func settle(_ channel: MessageChannel, _ group: inout TaskGroup<Void>) async {
        if channel.isClosedOrderly {
            group.addTask { try? await Task.sleep(for: grace) }
            // The writer, the reader or the grace: whichever ends first.
            await group.next()
        }
        group.cancelAll()
    }
}
