# A camera of GStreamer's RTSP server that plays one clip: python3 gst-camera.py CLIP h264|h265 [USER PASSWORD]
# Prints its port once it listens; ends when its input closes.
import sys
import threading

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstRtsp', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

clip, codec, *credentials = sys.argv[1:]
Gst.init(None)
server = GstRtspServer.RTSPServer.new()
server.set_address('127.0.0.1')
server.set_service('0')
factory = GstRtspServer.RTSPMediaFactory.new()
location = clip.replace('\\', '\\\\').replace('"', '\\"')
factory.set_launch(
    f'( filesrc location="{location}" ! qtdemux ! {codec}parse ! rtp{codec}pay name=pay0 pt=96 config-interval=-1 )'
)
if credentials:
    user, password = credentials
    auth = GstRtspServer.RTSPAuth.new()
    token = GstRtspServer.RTSPToken.new()
    token.set_string('media.factory.role', 'viewer')
    permissions = GstRtspServer.RTSPPermissions.new()
    permissions.add_permission_for_role('viewer', 'media.factory.access', True)
    permissions.add_permission_for_role('viewer', 'media.factory.construct', True)
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, password, token)
    factory.set_permissions(permissions)
    server.set_auth(auth)
server.get_mount_points().add_factory('/cam', factory)
loop = GLib.MainLoop()
server.attach(None)
print(server.get_bound_port(), flush=True)


def end_with_owner():
    sys.stdin.read()
    loop.quit()


threading.Thread(target=end_with_owner, daemon=True).start()
loop.run()
