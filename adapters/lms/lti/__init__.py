"""LTI 1.3 Advantage: this product as a tool inside Moodle, Canvas, Brightspace, Blackboard, Open edX and others.

The platform is the learning platform, the tool is this product (words of the standard). Sources: LTI Core 1.3, 1EdTech
Security Framework 1.1, LTI Dynamic Registration 1.0, Deep Linking 2.0, Names and Role Provisioning Services 2.0,
Assignment and Grade Services 2.0, LTI Client Side postMessages 1.0 with OIDC Login 1.0.
"""
