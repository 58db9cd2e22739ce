"""The web console: pages for people, in German and English, rendered on the server.

Reading only: there is no login yet, so it offers nothing that changes anything, and the service
listens on loopback.
"""
